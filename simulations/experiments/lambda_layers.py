"""Layers: bytes uploaded and stored with and without one, and how long a hole stays open.

The arithmetic of zip files is exact and is held against real ones. How often a function is
deployed is an assumption, stated where it is made. May import: the standard library and the rooms
above `experiments`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Annotated

from simulations._check import positive, whole
from simulations.experiment import Axis, Number, Result, Series, Slider, experiment
from simulations.facts import fact
from simulations.services.package import END_RECORD_BYTES, MB
from simulations.stats import mean_interval

#: Each file's name stands twice in a zip, before its content and in the directory at the end; in
#: a layer for Python it is longer by this folder.
FOLDER = "python/"
#: The two quotas for code storage that AWS's pages name: the quota page of 2026 and older ones.
STORAGE_QUOTA_GB = (fact("lambda.package")["code_storage_gb"], 75)
MONTH_DAYS = 30.0
COUNTS = (1, 2, 5, 10, 20, 50, 100, 200)
DAYS = (1, 3, 10, 30, 60, 90, 120, 150, 180)


def bundled_bytes(code: int, shared: int) -> int:
    """Bytes of one zip of code and library, from the bytes of a zip of each.

    Files are compressed one by one, so everything adds up but the record that ends a zip.

    Examples
    --------
    >>> bundled_bytes(1000, 5000)
    5978
    """
    return code + shared - END_RECORD_BYTES


def layer_bytes(shared: int, files: int) -> int:
    """Bytes of the layer's zip, from the zip of the library and its number of files.

    Examples
    --------
    >>> layer_bytes(5000, 10)
    5140
    """
    return shared + 2 * len(FOLDER) * files


@experiment("lambda-layers")
def uploads(
    functions: Annotated[int, Slider(1, 200, log=True)] = 20,
    shared_mb: Annotated[float, Slider(0.1, 50, log=True)] = 16.4,
    files: Annotated[int, Slider(1, 10_000, log=True)] = 2200,
    code_kb: Annotated[float, Slider(1, 1000, log=True)] = 5.0,
    code_changes: Annotated[float, Slider(0, 60)] = 8.0,
    shared_changes: Annotated[float, Slider(0, 10)] = 1.0,
) -> Result:
    """Count the bytes that a month of deployments uploads, with the library bundled and in a layer.

    Parameters
    ----------
    functions
        Functions that share the library.
    shared_mb, files
        Zipped size of the library in MB (2**20 bytes) and its number of files.
    code_kb
        Zipped size of one function's own code in KB.
    code_changes, shared_changes
        Deployments a month: of each function's code, and of a new version of the library.

    Returns
    -------
    Result
        MB a month against functions; numbers: bytes a month, their ratio, months until each
        quota for code storage is full if every version is kept.

    Examples
    --------
    >>> result = uploads(functions=20)
    >>> round(result["ratio"])
    163
    """
    shared = round(positive("shared_mb", shared_mb) * MB)
    code = round(positive("code_kb", code_kb) * 1024)
    layer = layer_bytes(shared, whole("files", files, low=1))

    def without(n: int) -> float:
        return n * (code_changes + shared_changes) * bundled_bytes(code, shared)

    def having(n: int) -> float:
        return n * code_changes * code + shared_changes * layer

    bundled, layered = without(functions), having(functions)
    numbers = {
        "without": Number(bundled, "bytes"),
        "with": Number(layered, "bytes"),
        "ratio": Number(bundled / layered if layered else math.inf),
        "one function": Number(without(1) / having(1) if having(1) else math.inf),
    }
    for gb in STORAGE_QUOTA_GB:
        for name, month in (("without", bundled), ("with", layered)):
            full = gb * 1024 * MB / month if month else math.inf
            numbers[f"months to {gb} GB {name}"] = Number(full, "months")
    return Result(
        x=Axis("functions that share the library", log=True),
        y=Axis("uploaded a month", "MB", log=True),
        series=(
            Series("in every zip", COUNTS, [without(n) / MB for n in COUNTS], role="coupled"),
            Series("in a layer", COUNTS, [having(n) / MB for n in COUNTS], role="decoupled"),
        ),
        numbers=numbers,
    )


def deploy_gaps(functions: int, busiest_days: float, rarest_days: float) -> list[float]:
    """Mean days between deployments of each function: spread evenly on a log scale.

    Examples
    --------
    >>> [round(gap) for gap in deploy_gaps(3, 1, 100)]
    [1, 10, 100]
    """
    if functions == 1:
        return [math.sqrt(busiest_days * rarest_days)]
    step = math.log(rarest_days / busiest_days) / (functions - 1)
    return [busiest_days * math.exp(step * i) for i in range(functions)]


def exposed_share(gaps: Sequence[float], days: float) -> float:
    """Share of functions not deployed for `days`: exp(-days / gap), averaged.

    Examples
    --------
    >>> round(exposed_share([10, 10], 10), 4)
    0.3679
    """
    return math.fsum(math.exp(-days / gap) for gap in gaps) / len(gaps)


def versions_expected(gaps: Sequence[float], every_days: float = MONTH_DAYS) -> float:
    """Expected number of layer versions in use when one is published every `every_days` days.

    A function names the version that was newest at its last deployment, whose age is
    exponential; the versions' ages are whole numbers of months.
    """
    total = 0.0
    for age in range(1000):
        none = math.prod(
            1 - math.exp(-age * every_days / gap) * -math.expm1(-every_days / gap) for gap in gaps
        )
        total += 1 - none
        if none == 1.0:
            break
    return total


@experiment("lambda-layers")
def exposure(
    functions: Annotated[int, Slider(1, 200, log=True)] = 20,
    busiest_days: Annotated[float, Slider(0.5, 30, log=True)] = 3.5,
    rarest_days: Annotated[float, Slider(30, 1000, log=True)] = 365.0,
    patch_days: Annotated[float, Slider(0, 30)] = 1.0,
    replications: Annotated[int, Slider(10, 1000, log=True)] = 400,
    seed: int = 1,
) -> Result:
    """How many functions still run the vulnerable version, by days since the hole was known.

    Each function names the newest version when it is next deployed, and not before: so it is
    for a library in the zip and for a layer alike. Deployments come at random (Poisson).

    Parameters
    ----------
    functions
        Functions that share the library.
    busiest_days, rarest_days
        Mean days between deployments of the busiest and of the rarest function (an assumption);
        the others lie between, evenly on a log scale.
    patch_days
        Days until the fixed version of the library, or of the layer, is published.
    replications, seed
        Simulated months, and where their randomness starts.

    Returns
    -------
    Result
        Exposed share in percent against days; numbers: share after 30 and 90 days, function-days
        of exposure, layer versions in use.

    Examples
    --------
    >>> exposure(replications=50)["calls"]
    20.0
    """
    gaps = deploy_gaps(functions, busiest_days, rarest_days)
    shares: list[list[float]] = [[] for _ in DAYS]
    function_days, versions = [], []
    for run in range(replications):
        random = Random(f"exposure {seed} {run}").random
        fixed = [patch_days - gap * math.log1p(-random()) for gap in gaps]
        for at, day in enumerate(DAYS):
            shares[at].append(100 * sum(one > day for one in fixed) / functions)
        function_days.append(math.fsum(fixed))
        ages = [-gap * math.log1p(-random()) for gap in gaps]
        versions.append(float(len({int(age // MONTH_DAYS) for age in ages})))
    intervals = [mean_interval(one) for one in shares]
    every = [patch_days, *(day for day in range(DAYS[-1] + 1) if day > patch_days)]
    expected = [100 * exposed_share(gaps, day - patch_days) for day in every]
    days, in_use = mean_interval(function_days), mean_interval(versions)
    end = DAYS[-1]
    rate = fact("lambda.controlplane")["all_other_rps"]
    return Result(
        x=Axis("days since the hole was known"),
        y=Axis("functions still exposed", "%"),
        series=(
            Series("nobody updates", DAYS, [100.0] * len(DAYS), role="limit"),
            Series("theory", every, expected, role="theory"),
            Series(
                "next deployment", DAYS, [one.mean for one in intervals], kind="points",
                role="coupled", low=[one.low for one in intervals],
                high=[one.high for one in intervals],
            ),
            Series(
                "a loop over all", (0, patch_days, patch_days, end), (100.0, 100.0, 0.0, 0.0),
                role="decoupled",
            ),
        ),
        numbers={
            "after 30 days": Number(exposed_share(gaps, max(0.0, 30 - patch_days))),
            "after 90 days": Number(exposed_share(gaps, max(0.0, 90 - patch_days))),
            "function-days": Number(days.mean, "days", days.low, days.high),
            "function-days expected": Number(
                functions * patch_days + math.fsum(gaps), "days"
            ),
            "function-days by loop": Number(functions * patch_days, "days"),
            "versions in use": Number(in_use.mean, "", in_use.low, in_use.high),
            "versions expected": Number(versions_expected(gaps)),
            "calls": Number(float(functions)),
            "calls s": Number(functions / rate, "s"),
        },
    )  # fmt: skip
