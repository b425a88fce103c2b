"""What a function may be told, and what goes together: refusals with their source.

May import: the standard library, `simulations.facts`, `.workload` and this room's `limits`,
`managed` and `provisioned`.
"""

from __future__ import annotations

from simulations._check import whole
from simulations.facts import fact
from simulations.services.limits import limited, limited_whole, source_of
from simulations.services.managed import Payload, SnapStart
from simulations.services.provisioned import Provisioned, init_limit_s
from simulations.workload import Distribution

#: How long an environment takes to shut down, by its extensions (fact `lambda.shutdown`).
EXTENSIONS = {
    None: "no_extensions_ms",
    "internal": "internal_extension_ms",
    "external": "external_extension_ms",
}


def check_basics(memory_mb: int, timeout_s: float, reserved_concurrency: int | None) -> None:
    """Refuse a memory, timeout or reserved concurrency that Lambda refuses."""
    memory, timeout = fact("lambda.memory"), fact("lambda.timeout")
    limited_whole(
        "memory_mb", memory_mb, memory["min_mb"], memory["max_mb"], " MB", "lambda.memory"
    )
    limited("timeout_s", timeout_s, 0, timeout["max_s"], " s", "lambda.timeout")
    if timeout_s <= 0:
        raise ValueError(f"timeout_s={timeout_s!r} must be above 0")
    if reserved_concurrency is not None:
        # A soft limit: the quota of an account can be raised, so only the kind is checked.
        whole("reserved_concurrency", reserved_concurrency)


def check_together(
    *,
    version: int | None,
    provisioned: Provisioned | None,
    snapstart: SnapStart | None,
    is_version_of_other: bool,
    has_own_concurrency: bool,
    init: Distribution,
    timeout_s: float,
) -> None:
    """Refuse settings that exclude each other."""
    rules = source_of("lambda.pc.rules")
    if version is not None:
        whole("version", version, low=1)
    for name, setting in (("provisioned_concurrency", provisioned), ("snapstart", snapstart)):
        if setting is not None and version is None:
            raise ValueError(
                f"{name}={setting!r} needs a published version, not $LATEST: give version=1 {rules}"
            )
    if provisioned is not None and snapstart is not None:
        raise ValueError(
            f"provisioned_concurrency={provisioned!r} and snapstart={snapstart!r} exclude each "
            f"other {rules}"
        )
    if is_version_of_other and has_own_concurrency:
        raise ValueError(
            "account and reserved_concurrency belong to the function, not to a version of it "
            f"{source_of('lambda.reserved.max')}"
        )
    longest_s = init_limit_s(timeout_s)
    if provisioned is not None and init.mean > longest_s:
        raise ValueError(
            f"init_s={init!r} must be 0 to {longest_s:g} s for provisioned concurrency "
            f"{source_of('lambda.init')}"
        )


def check_shared(
    requests_per_environment: int, memory_mb: int, payload: Payload | None, others: dict[str, bool]
) -> None:
    """Refuse several requests an environment where Lambda has no such function.

    Lambda Managed Instances serve up to 64 requests for each vCPU, of which one comes with at
    least 2 GB (fact `lambda.lmi`).
    """
    if whole("requests_per_environment", requests_per_environment, low=1) == 1:
        return
    rule = fact("lambda.lmi")
    gb = memory_mb / 1024
    if gb < rule["min_memory_gb"]:
        limited("memory_mb", memory_mb, rule["min_memory_gb"] * 1024, 10240, " MB", "lambda.lmi")
    most = int(gb / rule["min_memory_gb"]) * rule["max_concurrency_per_vcpu"]
    limited_whole("requests_per_environment", requests_per_environment, 1, most, "", "lambda.lmi")
    for name, is_set in {**others, "payload": payload is not None and payload.streamed}.items():
        if is_set:
            raise ValueError(
                f"requests_per_environment={requests_per_environment} with {name} is not modeled: "
                f"Managed Instances scale by rules of their own {source_of('lambda.lmi')}"
            )
