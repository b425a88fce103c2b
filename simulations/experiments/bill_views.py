"""What to look at in a bill: its parts, another bill beside it, what would change it.

Each view is a `Result`, which `simulations.figures.bills` draws and a test reads. May import: the
standard library and the rooms above `experiments`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulations._check import between
from simulations.experiment import Axis, Number, Result, Role, Series
from simulations.pricing import Bill

#: What a service is called in a figure, by AWS's code.
SERVICES = {
    "AWSLambda": "Lambda",
    "AWSQueueService": "SQS",
    "AmazonSNS": "SNS",
    "AmazonCloudWatch": "CloudWatch",
    "AmazonDynamoDB": "DynamoDB",
    "AWSEvents": "EventBridge",
    "AmazonKinesis": "Kinesis",
    "AmazonApiGateway": "API Gateway",
    "AmazonStates": "Step Functions",
    "AmazonS3": "S3",
    "AWSDataTransfer": "transfer",
    "AmazonVPC": "VPC",
    "AWSXRay": "X-Ray",
    "AmazonEC2": "EC2",
}
#: What is too small to have a row of its own goes here.
REST = "the rest"


def _amounts(bill: Bill, by: str) -> dict[str, float]:
    if by not in ("line", "service"):
        raise ValueError(f"by={by!r} is neither 'line' nor 'service'")
    if by == "service":
        return {SERVICES.get(k, k): float(v) for k, v in bill.by_service().items()}
    found: dict[str, float] = {}
    for line in bill:
        found[line.description] = found.get(line.description, 0.0) + float(line.amount_usd)
    return found


def _unit(bills: Sequence[Bill], per: str) -> str:
    currencies = {bill.currency for bill in bills}
    if len(currencies) > 1:
        raise ValueError(f"bills are in several currencies: {', '.join(sorted(currencies))}")
    return f"{currencies.pop()} {per}".strip()


def bill_parts(
    bill: Bill,
    *,
    by: str = "line",
    least: float = 0.0,
    per: str = "a month",
    role: Role = "coupled",
) -> Result:
    """Return a bill cut into its lines or services, the largest first, for `waterfall`.

    Parameters
    ----------
    bill : Bill
        Any bill.
    by : {"line", "service"}
        What a part is.
    least : float
        Parts below this share of the total are added up as "the rest".
    per : str
        What the bill is for, for the axis.
    role : str
        Whose color the largest part has.

    Examples
    --------
    >>> from simulations.pricing import PriceList, lambda_usage
    >>> bill = PriceList.load().bill(lambda_usage(3_000_000, 120, 1536))
    >>> [series.x for series in bill_parts(bill).series]
    [('Lambda duration, x86', 'Lambda requests, x86')]
    """
    amounts = _amounts(bill, by)
    total = float(bill.total)
    small = between("least", least, 0, 1) * total
    parts = {name: usd for name, usd in amounts.items() if usd > 0 and usd >= small}
    parts = dict(sorted(parts.items(), key=lambda part: -part[1]))
    rest = total - sum(parts.values())
    if rest > 1e-9 * total:
        parts[REST] = rest
    if not parts:
        raise ValueError("the bill is 0: it has no parts")
    unit = _unit([bill], per)
    numbers = {"total": Number(total, unit)} | {n: Number(v, unit) for n, v in parts.items()}
    bars = Series("", tuple(parts), tuple(parts.values()), kind="bars", role=role)
    return Result(Axis("part of the bill"), Axis("cost", unit), (bars,), numbers)


def bills_beside(
    bills: Mapping[str, Bill],
    *,
    by: str = "service",
    per: str = "a month",
    scale: Mapping[str, float] | None = None,
) -> Result:
    """Return two or more bills beside each other, one series a part, for `comparison`.

    Parameters
    ----------
    bills : mapping
        By the name that each is called in the figure.
    by : {"line", "service"}
        What a part is; parts are in the order of their sum over all bills.
    scale : mapping, optional
        What each bill is multiplied by, say a million over its number of requests.

    Examples
    --------
    >>> from simulations.pricing import PriceList, lambda_usage
    >>> prices = PriceList.load()
    >>> x86, arm = (prices.bill(lambda_usage(1e6, 100, 512, a)) for a in ("x86_64", "arm64"))
    >>> beside = bills_beside({"x86": x86, "Arm": arm})
    >>> round(beside["Arm"], 2), beside.series[0].name
    (0.87, 'Lambda')
    """
    if len(bills) < 2:
        raise ValueError(f"bills: {len(bills)} given, at least two are compared")
    factors = {name: (scale or {}).get(name, 1.0) for name in bills}
    amounts = {
        name: {part: usd * factors[name] for part, usd in _amounts(bill, by).items()}
        for name, bill in bills.items()
    }
    sums: dict[str, float] = {}
    for found in amounts.values():
        for part, usd in found.items():
            sums[part] = sums.get(part, 0.0) + usd
    parts = sorted((part for part in sums if sums[part] > 0), key=lambda part: -sums[part])
    names = tuple(bills)
    unit = _unit(list(bills.values()), per)
    series = tuple(
        Series(part, names, tuple(amounts[name].get(part, 0.0) for name in names), kind="bars")
        for part in parts
    )
    numbers = {name: Number(float(b.total) * factors[name], unit) for name, b in bills.items()}
    numbers |= {
        f"{name} {part}": Number(usd, unit) for name in names for part, usd in amounts[name].items()
    }
    return Result(Axis("bill"), Axis("cost", unit), series, numbers)


@dataclass(frozen=True)
class Change:
    """One input of a bill at two settings, the others unchanged."""

    name: str
    words: tuple[str, str]
    low: Bill
    high: Bill


@dataclass(frozen=True)
class Sensitivity:
    """What a bill becomes when one input changes, the widest range first.

    Attributes
    ----------
    result
        For `tornado`: the cheap and the dear side, and `numbers["base"]`.
    ends
        The words of both settings, by input: that of the cheap side first.
    """

    result: Result
    ends: Mapping[str, tuple[str, str]]


def changed(base: Bill, changes: Sequence[Change], *, per: str = "a month") -> Sensitivity:
    """Return what each of some changes does to a bill, the widest first."""
    rows = []
    for one in changes:
        ends = sorted(
            [(float(one.low.total), one.words[0]), (float(one.high.total), one.words[1])],
            key=lambda end: end[0],
        )
        rows.append((one.name, ends[0], ends[1]))
    rows.sort(key=lambda row: row[1][0] - row[2][0])
    names = tuple(name for name, _, _ in rows)
    unit = _unit([base], per)
    numbers = {"base": Number(float(base.total), unit)}
    for name, *both in rows:
        numbers |= {f"{name}: {words}": Number(usd, unit) for usd, words in both}
    less, more = tuple(low[0] for _, low, _ in rows), tuple(high[0] for _, _, high in rows)
    series = (
        Series("less", names, less, kind="bars", role="decoupled"),
        Series("more", names, more, kind="bars", role="coupled"),
    )
    found = Result(Axis("input"), Axis("cost", unit), series, numbers)
    return Sensitivity(found, {name: (low[1], high[1]) for name, low, high in rows})


def sensitivity(
    bill: Callable[..., Bill],
    inputs: Mapping[str, Any],
    ranges: Mapping[str, tuple[Any, Any]] | None = None,
    *,
    by: float = 0.5,
    words: Mapping[str, str] | None = None,
    per: str = "a month",
) -> Sensitivity:
    """Vary each plain input of a bill, one at a time, and return what the bill becomes.

    Parameters
    ----------
    bill : callable
        From the inputs, by name, to a bill.
    inputs : mapping
        As it is. Numbers above 0 are varied by the share `by` down and up.
    ranges : mapping, optional
        Two settings for inputs that are to be varied otherwise, or are no numbers.
    words : mapping, optional
        What an input is called in the figure.

    Raises
    ------
    ValueError
        If a range names no input, or an input is impossible at one of its ends.

    Examples
    --------
    >>> from simulations.pricing import PriceList, lambda_usage
    >>> prices = PriceList.load()
    >>> found = sensitivity(
    ...     lambda **inputs: prices.bill(lambda_usage(**inputs)),
    ...     {"requests": 1e6, "duration_ms": 100, "memory_mb": 512, "architecture": "x86_64"},
    ...     {"architecture": ("arm64", "x86_64")},
    ... )
    >>> found.result.series[0].x, found.ends["memory_mb"]
    (('requests', 'duration_ms', 'memory_mb', 'architecture'), ('256', '768'))
    """
    share = between("by", by, 0, 1)
    given = dict(ranges or {})
    unknown = sorted(set(given) - set(inputs))
    if unknown:
        raise ValueError(f"ranges: {unknown[0]!r} is none of {', '.join(inputs)}")
    changes = []
    for name, value in inputs.items():
        both = given.get(name)
        if both is None:
            if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                continue
            both = (value * (1 - share), value * (1 + share))
        low, high = (bill(**{**inputs, name: setting}) for setting in both)
        called = (words or {}).get(name, name)
        changes.append(Change(called, (_said(both[0]), _said(both[1])), low, high))
    return changed(bill(**inputs), changes, per=per)


def _said(setting: Any) -> str:
    if isinstance(setting, bool) or not isinstance(setting, int | float):
        return str(setting)
    return f"{setting / 1e6:g} million" if setting >= 1e6 else f"{setting:,g}"
