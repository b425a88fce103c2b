"""The gates catch a library that is wrong: each of these changes turns a row of the trust report
from "pass", or a published bill from right to wrong. A gate that ends in an error catches nothing.

A gate is named by the id of its row, or by `bill:` and the id of a published bill. The text to
replace must stand once in its file, so a change of the file shows here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Says, for each gate named, whether it holds in the library that is imported.
ASK = """
import json, sys
from simulations.experiments import worked_bills
from simulations.experiments.records import record
from simulations.truth import rows

def holds(gate):
    kind, _, name = gate.rpartition(":")
    if kind == "bill":
        example = next(e for e in record("worked_examples")["examples"] if e["id"] == name)
        worked = worked_bills.work(example)
        return abs(worked.ours_usd - worked.right_usd) < worked_bills.CENT
    row = next(row for row in rows() if row.id == name)
    return row.verdict(row.compare()) == "pass"

print(json.dumps({gate: holds(gate) for gate in sys.argv[1:]}))
"""


@dataclass(frozen=True)
class Mutation:
    """One wrong library: in `file` below `simulations`, `right` becomes `wrong`."""

    name: str
    gate: str
    file: str
    right: str
    wrong: str


MUTATIONS = (
    Mutation(
        "idle environments are kept 5 % longer", "gap-2025-330", "services/keep_alive.py",
        'return Uniform(measured["low_s"], measured["high_s"])',
        'return Uniform(1.05 * measured["low_s"], 1.05 * measured["high_s"])',
    ),
    Mutation(
        "idle environments are kept 5 % shorter", "gap-2025-315", "services/keep_alive.py",
        'return Uniform(measured["low_s"], measured["high_s"])',
        'return Uniform(0.95 * measured["low_s"], 0.95 * measured["high_s"])',
    ),
    Mutation(
        "the environment idle for longest serves next", "runtime-routing",
        "services/environments.py", "environment = stack.pop()\n", "environment = stack.popleft()\n",
    ),
    Mutation(
        "asynchronous events are not tried a third time", "loss-asynchronous",
        "services/asynchronous.py", "elif self.runs < queue.maximum_retries:",
        "elif self.runs < queue.maximum_retries - 1:",
    ),
    Mutation(
        "the second retry waits as long as the first", "outage-asynchronous",
        "services/asynchronous.py", "queue._waits_s[self.runs - 1]", "queue._waits_s[0]",
    ),
    Mutation(
        "a message may be received once more", "loss-queue", "services/queue.py",
        "message.receive_count >= self.max_receive_count",
        "message.receive_count > self.max_receive_count",
    ),
    Mutation(
        "deadlines lie a tenth further away", "outage-queue", "clock.py",
        "self.due_s[entry] = self._clock._now + self._after_s",
        "self.due_s[entry] = self._clock._now + 1.1 * self._after_s",
    ),
    Mutation(
        "full jitter does not jitter", "contention-fulljitter", "services/retry.py",
        'return whole_s * u if self.jitter == "full"', 'return whole_s if self.jitter == "full"',
    ),
    Mutation(
        "pauses grow threefold", "contention-fulljitter", "services/retry.py",
        "growth: float = 2.0", "growth: float = 3.0",
    ),
    Mutation(
        "a call earns two shares of a retry", "retry-budget", "services/retry.py",
        "            self._add(self.quota.refill)\n", "            self._add(2 * self.quota.refill)\n",
    ),
    Mutation(
        "hedges come a fifth later", "hedged-tail", "services/client.py",
        "_deadlines(sim, hedge_after_s, _Calling.hedge)",
        "_deadlines(sim, hedge_after_s and 1.2 * hedge_after_s, _Calling.hedge)",
    ),
    Mutation(
        "environments are added twice as fast", "scaling-rate", "services/account.py",
        'rate["environments"] / rate["per_s"])', '2 * rate["environments"] / rate["per_s"])',
    ),
    Mutation(
        "one invocation more than is reserved", "reserved-8-6", "services/invocation.py",
        "function.inside.inside >= limit", "function.inside.inside > limit",
    ),
    Mutation(
        "a tenth more requests a second", "requests-per-second-limit", "services/account.py",
        "per_s = float(max(self.limit, 0) * requests_per_concurrency())",
        "per_s = float(max(self.limit, 0) * 1.1 * requests_per_concurrency())",
    ),
    Mutation(
        "pollers are added a tenth slower", "sqs-ramp-drain", "services/pollers.py",
        'self._growth_s = 60.0 / rule["increase_per_min"]',
        'self._growth_s = 66.0 / rule["increase_per_min"]',
    ),
    Mutation(
        "exponential times are 5 % longer", "closed-load", "workload/durations.py",
        "return -self.mean * math.log1p(-u)", "return -1.05 * self.mean * math.log1p(-u)",
    ),
    Mutation(
        "lognormal times have their median as mean", "reserved-8-6", "workload/durations.py",
        "middle = math.log(self.mean) - variance / 2", "middle = math.log(self.mean)",
    ),
    Mutation(
        "users think 5 % less", "closed-load", "simulation.py",
        "again_s := now_s + self._think(request)", "again_s := now_s + 0.95 * self._think(request)",
    ),
    Mutation(
        "a keep-alive begins with the environment", "cold-function-600", "services/invocation.py",
        "environment.expires_s = now_s + function._shortest_keep_alive_s",
        "environment.expires_s = environment.created_s + function._shortest_keep_alive_s",
    ),
    Mutation(
        "one retry more", "retry-layers", "services/client.py",
        "if self.attempt == client.max_attempts", "if self.attempt - 1 == client.max_attempts",
    ),
    Mutation(
        "functions time out a tenth early", "default-timeout-a0", "services/invocation.py",
        "self.deadline_s = deadline_s = now_s + function.timeout_s",
        "self.deadline_s = deadline_s = now_s + 0.9 * function.timeout_s",
    ),
    Mutation(
        "gaps between calls are 3 % longer", "reserved-8-6", "workload/arrivals.py",
        "now -= log1p(-uniform()) / rate", "now -= 1.03 * log1p(-uniform()) / rate",
    ),
    Mutation(
        "a table keeps a tenth less of what was unused", "burst-200", "services/throughput.py",
        'self._seconds = fact("ddb.burst").number', 'self._seconds = 0.9 * fact("ddb.burst").number',
    ),
    Mutation(
        "writes of a begun kilobyte are not rounded up", "order-units-1", "services/units.py",
        "once = max(1, -(-item_bytes(size_bytes) // step))",
        "once = max(1, item_bytes(size_bytes) // step)",
    ),
    Mutation(
        "what is running is added up wrongly", "little-running", "clock.py",
        "return self.inside * at_s - self.moment", "return 1.05 * (self.inside * at_s - self.moment)",
    ),
    Mutation(
        "the last provisioned environment is never used", "spill-over-2", "services/provisioned.py",
        "if self._idle and self._requests.take", "if len(self._idle) > 1 and self._requests.take",
    ),
    Mutation(
        "durations are rounded down", "bill:ic-lambda-6b", "pricing/billed.py",
        "math.ceil((total - ROUNDING_MS) / step)", "math.floor((total - ROUNDING_MS) / step)",
    ),
    Mutation(
        "all usage is billed in the first tier", "bill:ic-lambda-15b", "pricing/pricelist.py",
        "end = quantity if tier.up_to is None else min(quantity, tier.up_to)", "end = quantity",
    ),
    Mutation(
        "a large message is one request", "bill:ic-sqs-std", "pricing/estimators.py",
        'return max(1, math.ceil(not_negative("size_kb", size_kb) / chunk_kb))', "return 1",
    ),
    Mutation(
        "Express durations are not rounded up", "bill:ic-sfn-exp-3", "pricing/estimators_calls.py",
        'ms = max(1, math.ceil(not_negative("duration_ms", duration_ms) / step_ms)) * step_ms',
        "ms = duration_ms",
    ),
    Mutation(
        "the free tier is forgotten", "bill:lambda-pc-1", "pricing/bill.py",
        "free = min(quantity, left[sku.free.pool])", "free = Decimal(0)",
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with a copy of the library, to be made wrong."""
    folder = tmp_path_factory.mktemp("mutated")
    shutil.copytree(ROOT / "simulations", folder / "simulations")
    yield folder
    shutil.rmtree(folder)


def ask(folder: Path, *gates: str) -> dict[str, bool]:
    """Run gates in a process of its own, which imports the copy."""
    # What it compiles is not written: the next change may be of the same second and length.
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", ASK, *gates], cwd=folder, env=environment, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"ended in an error, which is no verdict: {done.stderr[-800:]}"
    found: dict[str, bool] = json.loads(done.stdout)
    return found


def test_in_the_library_as_it_is_every_gate_holds(library: Path) -> None:
    gates = sorted({mutation.gate for mutation in MUTATIONS})
    assert ask(library, *gates) == dict.fromkeys(gates, True)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_gate_catches(mutation: Mutation, library: Path) -> None:
    path = library / "simulations" / mutation.file
    text = path.read_text(encoding="utf-8")
    assert text.count(mutation.right) == 1, f"{mutation.file} has changed: renew this mutation"
    stamp = path.stat()
    path.write_text(text.replace(mutation.right, mutation.wrong), encoding="utf-8")
    try:
        assert ask(library, mutation.gate) == {mutation.gate: False}
    finally:
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def test_there_are_enough_of_them_and_none_twice() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS) >= 25
