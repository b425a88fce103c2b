"""A process held to a share of a processor: it computes that much, and waits as before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import measure_power_tuning as measuring
import pytest

from simulations.aws import cpu_quota as module
from simulations.aws.cpu_quota import CpuQuota, vcpu_of

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="this system cannot hold a process to a share of a processor"
)


@pytest.fixture(params=["as it can", "stop and continue"])
def hold(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Hold by what this machine offers best, then by stopping and continuing."""
    if request.param == "stop and continue":
        monkeypatch.setattr(module, "_GROUPS", Path("/nowhere"))
    return str(request.param)


def test_a_process_computes_its_share_and_is_free_afterwards(hold: str) -> None:
    """A quota is checked at the scheduler's ticks, so the work is many periods long."""
    event = {"below": 4_000_000}
    with measuring.Environment("primes", event) as environment:
        free_ms = min(environment.invoke()[0] for _ in range(2))
        with CpuQuota(environment.pid, 0.2) as quota:
            held = [environment.invoke() for _ in range(2)]
        again_ms = min(environment.invoke()[0] for _ in range(3))
    if hold == "stop and continue":
        assert quota.how == hold
    share = sum(cpu_ms for _, cpu_ms in held) / sum(duration_ms for duration_ms, _ in held)
    assert 0.05 < share < 0.3, f"a share of 0.2 was asked for ({quota.how})"
    assert again_ms < 2.5 * free_ms


def test_waiting_takes_as_long_on_the_least_memory() -> None:
    with (
        measuring.Environment("partner", {"wait_s": 0.1}) as environment,
        CpuQuota(environment.pid, vcpu_of(128)),
    ):
        assert min(environment.invoke()[0] for _ in range(3)) < 130


def test_nothing_is_left_behind() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with CpuQuota(process.pid, 0.5):
        pass
    process.communicate(b"\n", timeout=20)
    assert process.returncode == 0, "it runs again"
    assert not list(Path("/sys/fs/cgroup").glob(f"**/sbe-{process.pid}"))


@pytest.mark.parametrize(
    "call", [lambda: vcpu_of(64), lambda: vcpu_of(20_000), lambda: CpuQuota(1, 0.0)]
)
def test_an_impossible_share_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        call()
