"""Service limits: a refusal names the parameter, its value, the allowed range and its source.

May import: the standard library, `simulations._check` and `simulations.facts`.
"""

from __future__ import annotations

from simulations._check import finite, whole
from simulations.facts import fact


def source_of(id: str) -> str:
    """Title and address of a fact's source, in parentheses.

    Examples
    --------
    >>> source_of("lambda.timeout")[:15]
    '(Lambda quotas,'
    """
    source = fact(id).source
    return f"({source.title}, {source.url})"


def limited(name: str, value: float, low: float, high: float, unit: str, id: str) -> float:
    """Return `value`; raise ValueError, with the source of fact `id`, if it is out of range.

    Examples
    --------
    >>> limited("delay_s", 1000, 0, 900, " s", "sqs.poll")
    Traceback (most recent call last):
    ValueError: delay_s=1000 must be 0 to 900 s (Amazon SQS queue quotas, https://...
    """
    finite(name, value)
    if not low <= value <= high:
        raise ValueError(f"{name}={value!r} must be {low} to {high}{unit} {source_of(id)}")
    return value


def limited_whole(name: str, value: int, low: int, high: int, unit: str, id: str) -> int:
    """Return `value` like `limited`, which must be a whole number too.

    Examples
    --------
    >>> limited_whole("memory_mb", 64, 128, 10240, " MB", "lambda.memory")
    Traceback (most recent call last):
    ValueError: memory_mb=64 must be 128 to 10240 MB (Configure Lambda function memory, ...
    """
    limited(name, value, low, high, unit, id)
    return whole(name, value, low)
