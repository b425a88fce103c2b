"""A month's bill from a shorter run, with the interval that the run's length allows.

May import: the standard library, `simulations.facts`, `simulations.stats`,
`simulations.trace` and the rest of this package.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from simulations._check import positive, whole
from simulations.facts import fact
from simulations.pricing.bill import Bill
from simulations.pricing.estimators import lambda_suffix
from simulations.pricing.pricelist import PriceList
from simulations.pricing.trace_slices import sliced, window_s
from simulations.pricing.trace_usage import usage
from simulations.pricing.usage import EXACT, Usage, exact
from simulations.stats import Interval, mean_interval
from simulations.trace import Trace

DAY_S = 86_400

#: Usage that stands all month, whatever comes in: taken from the configuration, not scaled.
CACHE = "Lambda-SnapStart-Cached-GB-S"
#: Provisioned concurrency is rounded up to this.
STEP_S = float(fact("lambda.price.pc.round_s").value)


@dataclass(frozen=True)
class MonthlyBill:
    """A month's bill and how well the run determines it.

    Attributes
    ----------
    bill
        Of the month's expected usage, priced once: tiers and free tier count the whole month.
    total
        In the currency of the prices, with its interval.
    lines
        The interval of each line, by `service:usage type`.
    requests, days
        How many requests a month of so many days has.
    """

    bill: Bill
    total: Interval
    lines: Mapping[str, Interval]
    requests: float
    days: float
    level: float
    _per_million: Interval | None

    @property
    def per_million(self) -> Interval:
        """For a million requests; narrower, for it does not matter how many come.

        `ValueError` where there were no requests.
        """
        if self._per_million is None:
            raise ValueError("the run has no requests: there is no cost a million")
        return self._per_million

    def __str__(self) -> str:
        total = self.total
        return (
            f"{self.bill}\n{self.days:g} days, {100 * self.level:g} % interval:"
            f" ${total.low:,.2f} to ${total.high:,.2f}"
        )


def month(
    traces: Trace | Iterable[Trace],
    days: float = 30,
    *,
    prices: PriceList | None = None,
    free_tier: bool | Iterable[str] = False,
    standing: Mapping[str, object] | None = None,
    slices: int = 20,
    level: float = 0.95,
    init_billed: bool | None = None,
    round_ms: int | None = None,
) -> MonthlyBill:
    """Scale what a run used to a month, price it, and say how sure that is.

    The month looks like the time between warm-up and horizon, over and over. Its usage is priced
    after scaling, so tiers and free tier are the month's. What stands whether or not requests
    come (provisioned concurrency that nobody changes, the cache of a snapshot, `standing`) is
    taken for the month as it is.

    Parameters
    ----------
    traces
        One trace, cut into `slices` of equal time (batch means); or several of equal length
        with seeds of their own, each a replication. A request's cost counts where it arrived.
    days
        30 as in AWS's examples; 730 hours are 30.4167.
    prices, free_tier
        As for `PriceList.bill`; the newest prices if left out.
    standing
        Usage of the month that no trace has: alarms, storage, the gigabytes of its logs ...
    slices, level
        For the interval. Slices have to be long beside what makes requests depend on each
        other; 20 is a common choice.
    init_billed, round_ms
        As for `usage`.

    Returns
    -------
    The interval is the jackknife's: the month without one slice (or replication) at a time,
    Student's t over the pseudo-values. For a bill without tiers that is batch means. Source:
    A. Law, Simulation Modeling and Analysis, chapter 9.

    Raises
    ------
    ValueError
        If there is no trace, replications differ in length, or a number is impossible.

    Examples
    --------
    >>> from simulations import Function, Lognormal, Poisson, Simulation
    >>> def handler(event, context):
    ...     yield context.call("partner", mean_ms=200, cv=0.5)
    >>> sim = Simulation(seed=1)
    >>> f = Function(sim, "F", handler, memory_mb=512, init_s=0.3)
    >>> trace = sim.run(Poisson(2.0) >> f, duration_s=1800, warmup_s=600)
    >>> print(month(trace))
    $1.00  Lambda requests, x86   5,011,200  request
    $8.36  Lambda duration, x86  501,656.76  GB-s
    $9.36  total
    30 days, 95 % interval: $9.02 to $9.71
    """
    given = [traces] if isinstance(traces, Trace) else list(traces)
    if not given:
        raise ValueError("traces: give at least one")
    lasts = {round(end - begin, 9) for begin, end in map(window_s, given)}
    if len(lasts) > 1:
        raise ValueError(f"traces last {sorted(lasts)} s: replications must be equally long")
    month_s = positive("days", days) * DAY_S
    kept = _kept_ready(given[0])
    if len(given) == 1:
        parts = sliced(given[0], whole("slices", slices, low=2), kept)
    else:
        parts = [sliced(trace, 1, kept)[0] for trace in given]
    used = [_passing(usage(part, init_billed=init_billed, round_ms=round_ms)) for part in parts]
    fixed = _standing(given[0], kept, month_s) + Usage(standing or {})
    times = Decimal(repr(month_s)) / Decimal(repr(lasts.pop() * len(given)))
    price_list = PriceList.load() if prices is None else prices
    free = free_tier if isinstance(free_tier, bool) else tuple(free_tier)
    counts = [len(part.requests) for part in parts]

    def without(one: int | None) -> tuple[Bill, float]:
        """The bill and the requests of the month, with one part left out."""
        rest = [k for k in range(len(used)) if k != one]
        factor = times * len(used) / len(rest)
        total = Usage(pair for k in rest for pair in used[k].items())
        bill = price_list.bill(total * factor + fixed, free)
        return bill, sum(counts[k] for k in rest) * float(factor)

    return _with_intervals([without(k) for k in (None, *range(len(used)))], days, level)


def _with_intervals(found: Sequence[tuple[Bill, float]], days: float, level: float) -> MonthlyBill:
    """The jackknife over the bill of everything and those with one part left out."""
    (bill, requests), rest = found[0], found[1:]

    def interval(value: Callable[[Bill, float], float]) -> Interval:
        every, n = value(bill, requests), len(rest)
        pseudo = [n * every - (n - 1) * value(*one) for one in rest]
        reach = mean_interval(pseudo, level).half_width
        return Interval(every, max(0.0, every - reach), every + reach)

    per_million = None
    if all(one[1] for one in found):
        per_million = interval(lambda b, n: float(b.total) / n * 1e6)
    lines = {
        line.sku.key: interval(lambda b, _, k=place: float(b.lines[k].amount_usd))  # type: ignore[misc]
        for place, line in enumerate(bill.lines)
    }
    total = interval(lambda b, _: float(b.total))
    return MonthlyBill(bill, total, lines, requests, float(days), level, per_million)


def _passing(used: Usage) -> Usage:
    """What comes with requests and time; the snapshots' caches are taken for the month."""
    return Usage({name: amount for name, amount in used.items() if name != CACHE})


def _kept_ready(trace: Trace) -> dict[int, tuple[float, float]]:
    """Functions whose provisioned concurrency never changed: how many, and INIT in s."""
    whole_run_s = math.ceil(trace.header["horizon_s"] / STEP_S - 1e-9) * STEP_S
    found: dict[int, tuple[float, float]] = {}
    inits: dict[int, float] = {}
    for row in trace.meters.rows():
        code = trace.code(row.component)
        if row.operation == "provisioned" and row.units == row.count * whole_run_s:
            found[code] = (row.count, 0.0)
        elif row.operation == "provisioned init":
            inits[code] = row.units
    return {code: (count, inits.get(code, 0.0)) for code, (count, _) in found.items()}


def _standing(trace: Trace, kept: Mapping[int, tuple[float, float]], month_s: float) -> Usage:
    """What the configuration keeps all month."""
    used = Usage()
    with localcontext(EXACT):
        for name, config in trace.header["components"].items():
            if config["type"] != "Function":
                continue
            gb = exact("memory_mb", config.get("memory_mb", 0)) / 1024
            if config.get("snapstart") == "billed":
                used.add(CACHE, exact("month", month_s) * gb)
            if trace.code(name) in kept:
                count, init_s = kept[trace.code(name)]
                arm = lambda_suffix(config.get("architecture", "x86_64"))
                amount = exact(name, count) * exact("month", month_s) * gb
                used.add(f"Lambda-Provisioned-Concurrency{arm}", amount)
                used.add(f"Lambda-Provisioned-GB-Second{arm}", exact(name, init_s) * gb)
    return used
