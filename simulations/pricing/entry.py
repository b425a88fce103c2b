"""One row of the catalog: which fact prices a usage type, and how it is metered.

May import: the standard library and `simulations.facts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from simulations.facts import fact


def from_note(id: str, pattern: str) -> Decimal:
    r"""A number that a fact states in its note; `ValueError` when it does not stand there.

    Examples
    --------
    >>> from_note("sns.price.delivery.http", r"after (\d+k) free")
    Decimal('100000')
    """
    found = re.search(pattern, fact(id).note)
    if found is None:
        raise ValueError(f"the note of {id} has nothing like {pattern!r}: {fact(id).note!r}")
    text = found.group(1)
    scale = {"k": 1_000, "M": 1_000_000}.get(text[-1], 1)
    return Decimal(text.rstrip("kM")) * scale


@dataclass(frozen=True)
class Entry:
    """One row of the catalog.

    Attributes
    ----------
    price, part
        Id of the fact, and which part of its value where it has several: "usd", or "1/usd" for
        what the second row of a list calls so.
    per
        What the fact's price is for: 1,000 when it states USD per thousand.
    free
        Name of the free quantity that it draws from; see `simulations.pricing.free`.
    aliases, aws_attributes
        Other names of AWS's for it: SQS requests are Requests-RBP in us-east-1 and
        Requests-Tier1 elsewhere; and what tells it apart where several carry one name.
    earlier
        Ids of facts with prices that no longer hold, each with the days of its validity.
    """

    usage_type: str
    service: str
    description: str
    unit: str
    price: str
    metering: str
    part: str | None = None
    free: str | None = None
    per: int = 1
    aliases: tuple[str, ...] = ()
    aws_attributes: tuple[tuple[str, str], ...] = ()
    earlier: tuple[str, ...] = ()

    def value(self) -> object:
        """What the fact says."""
        found: Any = fact(self.price).value
        for step in self.part.split("/") if self.part else ():
            found = found[int(step) if isinstance(found, tuple) else step]
        return found
