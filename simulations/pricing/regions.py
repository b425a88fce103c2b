"""Region codes in usage types: ``EUC1-Request`` is "Request" in eu-central-1.

May import: the standard library and `simulations.facts`.
"""

from __future__ import annotations

from simulations.facts import fact

#: The region whose usage types carry no code, or one of their own (fact `billing.region_codes`).
PLAIN = "us-east-1"


def region_of(usage_type: str) -> tuple[str | None, str]:
    """The region that a usage type names, and the rest of it; None where it names none.

    Examples
    --------
    >>> region_of("EUC1-Lambda-GB-Second"), region_of("Lambda-GB-Second")
    (('eu-central-1', 'Lambda-GB-Second'), (None, 'Lambda-GB-Second'))
    """
    code, dash, rest = usage_type.partition("-")
    region = fact("billing.region_codes").value.get(code) if dash else None
    return (region, rest) if region is not None and rest else (None, usage_type)
