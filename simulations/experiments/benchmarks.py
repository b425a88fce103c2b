"""What `make bench` found: speeds, ratios, growth and memory of the tools, from the record.

Nothing is timed here. May import: the standard library and the rooms above `experiments`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulations.experiment import Axis, Number, Result, Role, Series
from simulations.experiments.records import record

#: The tools: what each is called, and the color of its curve (None: in the table alone).
NAMES: dict[str, tuple[str, Role | None]] = {
    "fleet": ("fleet engine", "decoupled"),
    "simpy_callback": ("SimPy, callbacks", "theory"),
    "simpy_process": ("SimPy, a process a request", None),
    "simpy_anyof": ("SimPy, a process an environment", None),
    "function": ("composed model", "coupled"),
    "simfaas": ("SimFaaS", "limit"),
    "ciw": ("Ciw", "fifth"),
    "salabim_request": ("salabim, a component a request", "measured"),
    "salabim_environment": ("salabim, a component an environment", None),
}
#: The loads by the name that numbers carry.
LOADS = ("low", "middle", "high")


def benchmarks(found: Mapping[str, Any] | None = None) -> Result:
    """Return the speeds as curves over load, and what follows from them as numbers.

    Numbers, for each tool: "TOOL at low", "middle" and "high" load in requests a second; "TOOL
    growth", how many times longer a request takes at the load where it takes longest than where
    it is shortest; "TOOL bytes at high"; and "over TOOL at LOAD", how many times as fast the
    fleet engine is. Then "orders", "plain orders" (invocations a second) and "orders over plain";
    "sweep share", a sweep's time on two processes over that on one.

    Parameters
    ----------
    found : mapping, optional
        A record of `make bench`; the committed one without.

    Raises
    ------
    ValueError
        If a tool is missing from it, or was not measured at three loads.

    Examples
    --------
    >>> result = benchmarks()
    >>> result["over simfaas at high"] > result["over simfaas at low"] > 1
    True
    """
    told = record("benchmarks") if found is None else found
    numbers: dict[str, Number] = {}
    series = []
    for tool, (name, role) in NAMES.items():
        cells = told["tools"].get(tool, [])
        if len(cells) != len(LOADS):
            raise ValueError(f"the record has {len(cells)} loads of {tool!r}, not {len(LOADS)}")
        speeds = [1e9 / cell["ns"] for cell in cells]
        for load, speed in zip(LOADS, speeds, strict=True):
            numbers[f"{tool} at {load}"] = Number(speed, "1/s")
            fleet = numbers[f"fleet at {load}"].value
            numbers[f"over {tool} at {load}"] = Number(fleet / speed)
        numbers[f"{tool} growth"] = Number(max(speeds) / min(speeds))
        numbers[f"{tool} bytes at high"] = Number(cells[-1]["memory_bytes"], "bytes")
        if role is not None:
            label, loads = name.split(",")[0], [cell["in_flight"] for cell in cells]
            series.append(Series(label, loads, speeds, "line", role))
    ours, plain = (1e9 / told["orders"][one]["ns"] for one in ("ours", "plain"))
    numbers["orders"] = Number(ours, "1/s")
    numbers["plain orders"] = Number(plain, "1/s")
    numbers["orders over plain"] = Number(ours / plain)
    numbers["sweep share"] = Number(told["sweep"]["two_s"] / told["sweep"]["one_s"])
    return Result(
        Axis("requests in flight", log=True), Axis("requests per second", log=True),
        tuple(series), numbers,
    )  # fmt: skip


def worst_z(found: Mapping[str, Any] | None = None) -> float:
    """Return how far the cold starts of any tool lie from those expected, in standard deviations.

    >>> worst_z() < 5
    True
    """
    told = record("benchmarks") if found is None else found
    return max(
        abs(float(cell["z"])) for cells in told["tools"].values() for cell in cells if "z" in cell
    )
