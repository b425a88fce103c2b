"""Cold starts: against keep-alive theory, the logs of 2020, the probes of 2025, and a peer.

May import every room but the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np

from simulations.experiments.cold_count import count_cold
from simulations.experiments.cold_starts import idle_gap
from simulations.experiments.records import record
from simulations.fleet import Replay, replay, simulate
from simulations.stats import Interval, mean_interval, share_interval
from simulations.theory import cold_probability, halved_environments
from simulations.truth import Compared, row
from simulations.workload import Uniform

LOGS = "Mahmoudi and Khazaei, request logs of AWS Lambda, 2020"
LOGS_URL = "https://github.com/pacslab/serverless-performance-modeling"
PROBES = "CIRRUS lab, idle-gap probes of AWS Lambda, 2025"
PROBES_URL = "https://github.com/ubc-cirrus-lab/demystifying-serverless-costs"
SIMFAAS = "SimFaaS 0.2, figures of its documentation"
SIMFAAS_URL = "https://github.com/pacslab/simfaas"


def _in_percent(share: Interval) -> Interval:
    return Interval(*(100 * value for value in share))


def _cold(run: Replay) -> Interval:
    return _in_percent(share_interval(round(run.cold_share * run.requests), run.requests))


def _rest(gap_s: float) -> Callable[[], Compared]:
    def compare() -> Compared:
        run = simulate(1 / gap_s, 0.0, keep_alive_s=600, duration_s=1e6 * gap_s, seed=1)
        return Compared(_cold(run), 100 * cold_probability(1 / gap_s, 600.0))

    return compare


def _overlap(per_h: float, takes_s: float) -> Callable[[], Compared]:
    def compare() -> Compared:
        run = simulate(
            per_h / 3600, takes_s, keep_alive_s=600, duration_s=3600 / per_h * 4e6, seed=2,
            service="constant",
        )  # fmt: skip
        return Compared(_cold(run), 100 * cold_probability(per_h / 3600, 600.0, takes_s))

    return compare


@row(
    "cold-function-600", kind="verification", chapter="cold-starts", unit="%",
    what="Cold share of a function that is called every 600 s on average, kept for 600 s, in SimPy",
    source="exp(-keep-alive · rate) (closed form)",
)  # fmt: skip
def cold_function() -> Compared:
    """The engine in which the chapters are written; the rows below are the compiled one's."""
    counted = count_cold(1 / 600, 0.0, 600.0, requests=60_000, seed=3)
    return Compared(_in_percent(counted.share), 100 * cold_probability(1 / 600, 600.0))


for gap_s in (300.0, 3600.0):
    row(
        f"cold-rest-{gap_s:.0f}", kind="verification", chapter="cold-starts", unit="%",
        what=f"Cold share of calls that rest {gap_s:.0f} s on average, kept for 600 s",
        source="exp(−rate · keep-alive)",
    )(_rest(gap_s))  # fmt: skip

for per_h, takes_s in ((200.0, 0.1), (200.0, 1.0), (2000.0, 0.1)):
    row(
        f"cold-overlap-{per_h:.0f}-{1000 * takes_s:.0f}", kind="verification",
        chapter="cold-starts", unit="%", margin=0.15,
        what=f"Cold share of {per_h:.0f} calls an hour of {takes_s:g} s, kept for 600 s",
        source="Overflow formula: sum over environments of share · exp(−share · rate · keep-alive)",
    )(_overlap(per_h, takes_s))  # fmt: skip


def _log(rate_per_s: float, requests: int, cold: int) -> Callable[[], Compared]:
    def compare() -> Compared:
        run = simulate(
            rate_per_s, 1.96, cold_service_s=2.4, keep_alive_s=600, service="constant",
            duration_s=4e6 / rate_per_s, seed=2020,
        )  # fmt: skip
        p = cold / requests
        reach = 2.5 * math.sqrt(p * (1 - p) / requests)
        return Compared(_cold(run), 100 * p, 100 * (p - reach), 100 * (p + reach))

    return compare


def _replayed(found: int, recorded: int) -> Callable[[], Compared]:
    return lambda: Compared(Interval(found, found, found), recorded)


for run in record("cold_starts_2020")["runs"]:
    rate = run["rate_per_s"]
    row(
        f"cold-2020-{rate}", kind="validation", chapter="cold-starts", unit="%",
        what=f"Cold share at {rate} calls a second; accepted: 2.5 standard errors",
        source=LOGS, url=LOGS_URL,
    )(_log(rate, run["requests"], run["cold"]))  # fmt: skip
    row(
        f"replay-2020-{rate}", kind="validation", chapter="cold-starts", margin=0.1,
        what=f"Cold starts in a replay of the recorded arrivals at {rate} calls a second",
        source=LOGS, url=LOGS_URL,
        why="AWS sometimes used environments that rested longer than 600 s, and ended others "
        "after about two hours; this model does neither.",
    )(_replayed(run["replay_cold"], run["cold"]))  # fmt: skip


def _gap(gap_s: float, cold: int, probes: int) -> Callable[[], Compared]:
    def compare() -> Compared:
        model = idle_gap().get("model")
        share = model.y[list(model.x).index(gap_s)] / 100
        tries = idle_gap.defaults["probes"]
        p = cold / probes
        low, high = share_interval(cold, probes, level=0.997)[1:]
        ours = _in_percent(share_interval(round(share * tries), tries))
        return Compared(ours, 100 * p, 100 * low, 100 * high)

    return compare


for gap in record("idle_gaps_2025")["gaps"]:
    if gap["gap_s"] in (315, 330, 345):
        row(
            f"gap-2025-{gap['gap_s']}", kind="calibration", chapter="cold-starts", unit="%",
            what=f"Cold share after {gap['gap_s']} s of rest; accepted: 99.7 % interval of "
            f"{gap['probes']} probes",
            source=PROBES, url=PROBES_URL,
        )(_gap(float(gap["gap_s"]), gap["cold"], gap["probes"]))  # fmt: skip


#: Idle lives evenly spread between these ends have the least squares against the fine probes.
FINE = tuple(g for g in record("idle_gaps_2025")["gaps"] if g["gap_s"] % 60)


@cache
def _edges() -> tuple[float, float]:
    """Fit the two ends, to half a second, to the probes at every fifteen seconds alone."""

    def error(ends: tuple[float, float]) -> float:
        low, high = ends
        return math.fsum(
            (min(max((g["gap_s"] - low) / (high - low), 0.0), 1.0) - g["cold"] / g["probes"]) ** 2
            for g in FINE
        )

    tried = ((a / 2, b / 2) for a in range(520, 630) for b in range(660, 760))
    return min(tried, key=error)


def _held_out(gap_s: int) -> Callable[[], Compared]:
    def compare() -> Compared:
        found = next(g for g in record("idle_gaps_2025")["gaps"] if g["gap_s"] == gap_s)
        # A call now and then: each is alone, and rests for the gap since the one before.
        calls = np.arange(1, 400_002) * float(gap_s)
        run = replay(calls, 0.0, keep_alive_s=Uniform(*_edges()), seed=1)
        # The very first call is cold in any case.
        cold = round(run.cold_share * run.requests) - 1
        ours = _in_percent(share_interval(cold, run.requests - 1))
        low, high = share_interval(found["cold"], found["probes"], level=0.997)[1:]
        theirs = found["cold"] / found["probes"]
        return Compared(ours, 100 * theirs, 100 * low, 100 * high)

    return compare


for _gap_s in (180, 240, 300, 360):
    row(
        f"gap-2025-held-out-{_gap_s}", kind="validation", chapter="cold-starts", unit="%",
        what=f"Cold share after {_gap_s} s of rest, the keep-alive fitted to other gaps only; "
        "accepted: 99.7 % interval of 100 probes",
        source=PROBES, url=PROBES_URL,
        why="AWS ends a few environments early, whatever their rest; the model ends none.",
    )(_held_out(_gap_s))  # fmt: skip


def _fits(rate_per_s: float) -> Callable[[], Compared]:
    def compare() -> Compared:
        run = next(r for r in record("cold_starts_2020")["runs"] if r["rate_per_s"] == rate_per_s)
        ours = share_interval(run["agreeing"]["most_recent"], run["choices"])
        return Compared(Interval(100 * ours.mean, 100 * ours.mean, 100 * ours.mean), 100, 99.5, 100)

    return compare


def _recall(rate_per_s: float) -> Callable[[], Compared]:
    def compare() -> Compared:
        run = next(r for r in record("cold_starts_2020")["runs"] if r["rate_per_s"] == rate_per_s)
        found = float(run["replay_found"])
        return Compared(Interval(found, found, found), run["cold"])

    return compare


for _rate in (0.00572, 0.0164, 0.0999):
    row(
        f"routing-2020-{_rate}", kind="calibration", chapter="cold-starts", unit="%",
        what=f"Choices between idle environments, at {_rate} calls a second, that fell on the most "
        "recently used one; accepted: 99.5 % and more",
        source=LOGS, url=LOGS_URL,
    )(_fits(_rate))  # fmt: skip
for _rate in (0.00185, 0.00287):
    row(
        f"recall-2020-{_rate}", kind="validation", chapter="cold-starts", margin=0.05,
        what=f"Recorded cold starts, at {_rate} calls a second, that a replay of the arrivals finds "
        "one by one",
        source=LOGS, url=LOGS_URL,
    )(_recall(_rate))  # fmt: skip


@row(
    "pool-2020-halved", kind="calibration", chapter="cold-starts", unit="environments",
    what="Environments of 20 that are left after 1,200 s, half of them gone every 380 s; accepted: "
    "what rounds to the published median",
    source="M. Copik et al., SeBS, Middleware 2021", url="https://arxiv.org/abs/2012.14132",
)  # fmt: skip
def halved() -> Compared:
    """The authors' own model; the keep-alive of today ends them nearly together."""
    left = halved_environments(20, 1200.0, 380.0)
    return Compared(Interval(left, left, left), 3.0, 2.5, 3.5)


def _simfaas(figure: Callable[[Replay], float], theirs: float) -> Callable[[], Compared]:
    def compare() -> Compared:
        runs = [
            simulate(
                0.9, 1.991, cold_service_s=2.244, keep_alive_s=600.0, duration_s=1e6, seed=seed,
                routing="newest",
            )
            for seed in range(30)
        ]  # fmt: skip
        return Compared(mean_interval([figure(one) for one in runs]), theirs)

    return compare


for name, figure, theirs, unit, margin in (
    ("cold share", lambda r: 100 * r.cold_share, 0.1330, "%", 0.02),
    ("environments", lambda r: r.mean_environments, 7.6963, "", 0.01),
    ("running environments", lambda r: r.mean_running, 1.7920, "", 0.01),
):
    row(
        f"simfaas-{name.replace(' ', '-')}", kind="verification", chapter="cold-starts",
        what=f"Mean {name} at 0.9 calls a second, newest environment first", unit=unit,
        source=SIMFAAS, url=SIMFAAS_URL, margin=margin,
    )(_simfaas(figure, theirs))  # fmt: skip
