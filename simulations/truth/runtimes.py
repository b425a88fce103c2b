"""Trust rows of languages and layers: bills of INIT, published INITs, zip files, open holes.

May import every room but the figures.
"""

from __future__ import annotations

from collections.abc import Callable

from simulations.experiments.lambda_layers import (
    bundled_bytes,
    deploy_gaps,
    exposure,
    layer_bytes,
    versions_expected,
)
from simulations.experiments.records import record
from simulations.stats import Interval
from simulations.truth import Compared, row

PERF = "M. David, lambda-perf, Init Duration on AWS Lambda, 9 to 22 August 2026"
PERF_URL = "https://github.com/maxday/lambda-perf"


def _exact(value: float) -> Interval:
    return Interval(value, value, value)


@row(
    "init-memory",
    kind="validation",
    what="Median INIT at 1,024 MB against 128 MB, if memory does not matter to a small function",
    source=PERF,
    url=PERF_URL,
    chapter="lambda-runtimes",
)
def init_memory() -> Compared:
    """The model draws INIT without asking for memory; 155 functions were measured at both."""
    found = record("init_2026")["memory_1024_to_128"]
    return Compared(_exact(1.0), found["median"], found["p5"], found["p95"])


def _ratio(here: str, there: str) -> Callable[[], Compared]:
    def compare() -> Compared:
        local = {one["language"]: one for one in record("runtimes")["languages"] if one["run"]}
        aws = {one["language"]: one["p50_ms"] for one in record("init_languages_2026")["languages"]}
        ours, python = local[here]["init_ms"], local["Python"]["init_ms"]
        return Compared(
            Interval(
                ours["median"] / python["median"],
                ours["low"] / python["high"],
                ours["high"] / python["low"],
            ),
            aws[there] / aws["Python 3.14"],
        )

    return compare


for here, there in (("Node.js", "Node.js 24"), ("Java", "Java 25"), ("Go", "Go")):
    row(
        f"init-local-{here.lower().replace('.', '')}",
        kind="validation",
        what=f"INIT of {here} as a multiple of Python's: local runtime against AWS",
        source=PERF,
        url=PERF_URL,
        chapter="lambda-runtimes",
        margin=0.3,
        unit="times",
        why="no micro virtual machine, no share of the processor, loops of ours for Lambda's own",
    )(_ratio(here, there))


@row(
    "layer-zip-bytes",
    kind="verification",
    what="Bytes of a first upload of 20 functions with boto3 in every zip",
    source="20 zip files, built and counted",
    chapter="lambda-layers",
    margin=1e-9,
    unit="bytes",
)
def layer_zip_bytes() -> Compared:
    """Zips of code and of library, added by the formula, against zips of both."""
    found = record("packages")
    shared = found["shared"]
    library = found["bundles"][0]["zipped_bytes"]
    ours = sum(bundled_bytes(code, library) for code in shared["code_bytes"])
    return Compared(_exact(ours), shared["without_layer_bytes"][-1])


@row(
    "layer-bytes",
    kind="verification",
    what="Bytes of a layer with boto3, from the zip of the library alone",
    source="the layer's zip, built and counted",
    chapter="lambda-layers",
    margin=1e-9,
    unit="bytes",
)
def layer_zip() -> Compared:
    """The layer's folder stands twice before each of its files' names."""
    found = record("packages")
    boto3 = found["bundles"][0]
    ours = layer_bytes(boto3["zipped_bytes"], boto3["files"])
    return Compared(_exact(ours), found["shared"]["layer_bytes"])


@row(
    "layer-versions",
    kind="verification",
    what="Versions of a monthly layer in use by 20 functions deployed every 3.5 to 365 days",
    source="sum over versions of 1 - product over functions (closed form)",
    chapter="lambda-layers",
    margin=0.04,
)
def layer_versions() -> Compared:
    """Simulated ages of deployments, against their closed form."""
    found = exposure(replications=1000, seed=3).numbers["versions in use"]
    low, high = found.low or found.value, found.high or found.value
    return Compared(Interval(found.value, low, high), versions_expected(deploy_gaps(20, 3.5, 365)))


@row(
    "layer-exposure",
    kind="verification",
    what="Function-days exposed after a fix, 20 functions deployed every 3.5 to 365 days",
    source="patch delay + mean gap between deployments, summed (Poisson)",
    chapter="lambda-layers",
    margin=0.06,
    unit="days",
)
def layer_exposure() -> Compared:
    """Simulated deployments, against the mean of the exponential."""
    result = exposure(replications=1000, seed=4)
    found = result.numbers["function-days"]
    low, high = found.low or found.value, found.high or found.value
    return Compared(Interval(found.value, low, high), result["function-days expected"])
