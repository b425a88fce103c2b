"""How the AWS SDKs retry by default: the settings of a `Client`.

Sources: AWS SDKs and Tools Reference Guide, *Retry behavior*, and AWS Developer Tools Blog,
*Announcing updated retry behavior for AWS SDKs and Tools* (both read 2026-11-23); botocore
1.44.5, in which the settings of 2026 are the default (botocore/retries/standard.py,
botocore/data/_retry.json). The tests hold these settings against botocore itself. May import:
this room's `adaptive`, `client`, `function`, `provider` and `retry`.
"""

from __future__ import annotations

from typing import Any

from simulations.services.adaptive import AdaptiveRate
from simulations.services.client import CallTimeout
from simulations.services.function import Throttled
from simulations.services.provider import ProviderError
from simulations.services.retry import Backoff, RetryQuota

SDK_MODES = ("standard", "adaptive", "legacy")

#: What an SDK tries again: throttles, errors of the service, no answer. A function's own error
#: is none of them: Invoke answers with status 200 and the header X-Amz-Function-Error.
SDK_RETRYABLE = (Throttled, ProviderError, CallTimeout)


def sdk_retries(
    mode: str = "standard", *, dynamodb: bool = False, before_2026: bool = False
) -> dict[str, Any]:
    """Settings for `Client(...)` that retry as an AWS SDK does when nothing is configured.

    Parameters
    ----------
    mode : {"standard", "adaptive", "legacy"}
        The SDKs' retry mode. "standard" is the default since November 2026; "legacy" is
        boto3's old default, and differs from SDK to SDK.
    dynamodb : bool
        Whether the target is DynamoDB, whose clients try more often and pause less.
    before_2026 : bool
        Standard and adaptive mode as they were until then.

    Raises
    ------
    ValueError
        If the mode is unknown.

    Examples
    --------
    >>> settings = sdk_retries("standard")
    >>> settings["max_attempts"], settings["quota"].cost, settings["pause_s"].base_s
    (3, 14.0, 0.05)
    >>> sdk_retries("standard", before_2026=True)["pause_s"].base_s
    1.0
    """
    if mode not in SDK_MODES:
        raise ValueError(f"mode={mode!r} is none of {', '.join(SDK_MODES)}")
    if mode == "legacy":
        plain = Backoff(0.05, jitter="none") if dynamodb else Backoff(1.0)
        return {
            "max_attempts": 10 if dynamodb else 5,
            "pause_s": plain,
            "retryable": SDK_RETRYABLE,
        }
    if before_2026:
        attempts, base_s = 3, 1.0
        quota = RetryQuota(cost=5.0, throttled_cost=5.0, timeout_cost=10.0)
    else:
        attempts, base_s = (4, 0.025) if dynamodb else (3, 0.05)
        quota = RetryQuota()
    settings: dict[str, Any] = {
        "max_attempts": attempts,
        "pause_s": Backoff(base_s, cap_s=20.0, throttled_base_s=1.0),
        "quota": quota,
        "retryable": SDK_RETRYABLE,
    }
    if mode == "adaptive":
        settings["adaptive"] = AdaptiveRate()
    return settings
