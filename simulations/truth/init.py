"""INIT: its spread, its runtime, architecture, year and memory, against published measurements.

May import every room but the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from simulations.experiments.records import record
from simulations.stats import Interval
from simulations.theory import LognormalShape, lognormal_from_moments
from simulations.theory.memory import fit
from simulations.truth import Compared, row

RUNTIMES = "lambda-runtimes"
PERF = "M. David, lambda-perf, Init Duration on AWS Lambda, 9 to 22 August 2026"
PERF_URL = "https://github.com/maxday/lambda-perf"
SEBS = "M. Copik et al., SeBS, artifact of Middleware 2021: medians of cold calls on AWS, 2020"
SEBS_URL = "https://github.com/spcl/serverless-benchmarks-artifact"
HUAWEI = "A. Joosen et al., Serverless Cold Starts and Where to Find Them, EuroSys 2025, figure 10"
HUAWEI_URL = "https://github.com/sir-lab/data-release"

#: Median seconds of a cold first call at so many MB, as published.
COLD_CALLS: dict[str, dict[int, float]] = {
    "image recognition": {512: 21.2, 1024: 11.2, 1536: 8.0, 2048: 7.1, 3008: 6.7},
    "uploader": {128: 7.5, 256: 4.2, 512: 2.4, 1024: 1.8, 2048: 1.5},
    "breadth-first search": {128: 3.6, 256: 2.6, 512: 1.8, 1024: 1.6, 2048: 1.4},
}


def _exact(value: float) -> Interval:
    return Interval(value, value, value)


def _shape(runtime: str) -> dict[str, float]:
    found: dict[str, float] = next(
        one for one in record("init_shapes_2026")["runtimes"] if one["runtime"] == runtime
    )
    return found


def _lognormal(runtime: str) -> Callable[[], Compared]:
    def compare() -> Compared:
        one = _shape(runtime)
        shape = LognormalShape(math.log(one["p50_ms"]), one["log_sd"])
        return Compared(_exact(shape.quantile(0.99)), one["p99_ms"])

    return compare


def _larger(runtime: str) -> Callable[[], Compared]:
    def compare() -> Compared:
        one = _shape(runtime)
        return Compared(_exact(one["p99_ms"]), one["p99_1024_ms"])

    return compare


for _runtime in ("python3.12", "nodejs22.x", "java21", "dotnet8"):
    row(
        f"init-lognormal-{_runtime.split('.')[0]}", kind="calibration", chapter=RUNTIMES,
        what=f"99th percentile of {_runtime}'s INIT, by a lognormal with the measured median and "
        "spread",
        source=PERF, url=PERF_URL, unit="ms", margin=0.25,
        why="The tail is heavier than a lognormal's: now and then a start takes more than twice "
        "as long. So the chapter shows measured quantiles.",
    )(_lognormal(_runtime))  # fmt: skip
    row(
        f"init-p99-1024-{_runtime.split('.')[0]}", kind="validation", chapter=RUNTIMES,
        what=f"99th percentile of {_runtime}'s INIT at 1,024 MB, by the one measured at 128 MB",
        source=PERF, url=PERF_URL, unit="ms", margin=0.2,
    )(_larger(_runtime))  # fmt: skip


@row(
    "init-architecture", kind="validation", chapter=RUNTIMES, unit="times",
    what="Median INIT on arm64 against x86_64, if the architecture does not matter; accepted: the "
    "middle 90 % of 304 functions",
    source=PERF, url=PERF_URL,
)  # fmt: skip
def architecture() -> Compared:
    """The model draws INIT without asking for the architecture."""
    found = record("init_shapes_2026")["arm64_to_x86_64"]
    return Compared(_exact(1.0), found["median"], found["p5"], found["p95"])


def _years_before(runtime: str) -> Callable[[], Compared]:
    then_ms = {"python3.12": 126.0, "java21": 350.0}
    return lambda: Compared(_exact(_shape(runtime)["p50_ms"]), then_ms[runtime])


for _runtime in ("python3.12", "java21"):
    row(
        f"init-2023-{_runtime.split('.')[0]}", kind="validation", chapter=RUNTIMES, unit="ms",
        what=f"Median INIT of {_runtime} in December 2023, by the value of August 2026",
        source="M. David, lambda-perf, monthly medians", url=PERF_URL, margin=0.1,
        why="It became a third shorter in the years between: an undated value of INIT says little.",
    )(_years_before(_runtime))  # fmt: skip


def _memory(name: str, memory_mb: int) -> Callable[[], Compared]:
    def compare() -> Compared:
        at = COLD_CALLS[name]
        ends = [min(at), max(at)]
        return Compared(_exact(fit(ends, [at[mb] for mb in ends]).time_s(memory_mb)), at[memory_mb])

    return compare


for _name, _at in COLD_CALLS.items():
    for _mb in sorted(_at)[1:-1]:
        row(
            f"cold-memory-{_name.split()[0]}-{_mb}", kind="validation", chapter="cold-starts",
            what=f"Median cold call of {_name} at {_mb} MB, from those at {min(_at)} and "
            f"{max(_at)} MB: a constant and work at the memory's share of a processor",
            source=SEBS, url=SEBS_URL, unit="s", margin=0.1,
            why="Published to a tenth of a second, which is 4 % of this value; the rest is the "
            "model's.",
        )(_memory(_name, _mb))  # fmt: skip


@row(
    "cold-huawei-median", kind="calibration", chapter="cold-starts", unit="s",
    what="Median cold start of Huawei's fit (mean 3.24 s, sd 7.10 s); accepted: 0.1 to 2 s, the "
    "medians of its five regions",
    source=HUAWEI, url=HUAWEI_URL,
)  # fmt: skip
def huawei() -> Compared:
    """The fit is of all regions together."""
    return Compared(_exact(lognormal_from_moments(3.24, 7.10).median), 2.0, 0.1, 2.0)


def _azure(upto_s: float, published: float) -> Callable[[], Compared]:
    shape = LognormalShape(-0.38, 2.36)
    return lambda: Compared(_exact(100 * shape.share_below(upto_s)), published)


for _upto_s, _published in ((1.0, 50.0), (60.0, 96.0)):
    row(
        f"azure-duration-{_upto_s:.0f}", kind="calibration", chapter="a-platforms-day",
        what=f"Functions whose mean duration is under {_upto_s:.0f} s, by the lognormal fit that "
        "the day's durations are drawn from",
        source="M. Shahrad et al., Serverless in the Wild, USENIX ATC 2020, figure 7",
        url="https://www.usenix.org/conference/atc20/presentation/shahrad",
        unit="%", margin=0.05,
        why="The authors' fit follows the whole curve; around a second it lies 6 points above.",
    )(_azure(_upto_s, _published))  # fmt: skip
