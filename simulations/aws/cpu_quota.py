"""A share of a processor for a process on this machine, as Lambda gives it by memory.

A control group's quota where the system lets us make one, else the process is stopped and
continued by turns. May import: the standard library and the rooms above.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from types import TracebackType

from simulations._check import positive
from simulations.facts import fact
from simulations.services.limits import limited

#: Period of the quota, as found on AWS Lambda in 2025 (CIRRUS lab).
PERIOD_S = 0.02
_GROUPS = Path("/sys/fs/cgroup")


def vcpu_of(memory_mb: float) -> float:
    """Return the share of a vCPU that a function of this memory has.

    Proportional to memory, a whole one at 1,769 MB; documented by AWS for these two points.

    Raises
    ------
    ValueError
        If the memory is not one that Lambda offers.

    Examples
    --------
    >>> round(vcpu_of(128), 4), vcpu_of(1769)
    (0.0724, 1.0)
    """
    memory = fact("lambda.memory")
    limited("memory_mb", memory_mb, memory["min_mb"], memory["max_mb"], " MB", "lambda.memory")
    return float(memory_mb / memory["mb_per_vcpu"])


class CpuQuota:
    """Hold a process to a share of a processor while in a `with` statement.

    Parameters
    ----------
    pid : int
        A process of yours; what it has started before is not held.
    vcpu : float
        Processors per second: 0.5 computes half of the time.

    Attributes
    ----------
    how : str
        `cgroup 1`, `cgroup 2`, or `stop and continue`. The last one also holds up a process
        that only wakes from waiting, by up to a period.

    Raises
    ------
    ValueError
        If `vcpu` is not positive.
    OSError
        If neither is possible: Windows has no signals to stop a process.
    """

    how: str

    def __init__(self, pid: int, vcpu: float) -> None:
        self._pid, self._vcpu = pid, positive("vcpu", vcpu)
        self._group: Path | None = None
        self._back: Path | None = None
        self._stop = threading.Event()
        self._turns: threading.Thread | None = None

    def __enter__(self) -> CpuQuota:
        quota_us, period_us = round(1e6 * PERIOD_S * self._vcpu), round(1e6 * PERIOD_S)
        for how, make in (("cgroup 1", self._version_1), ("cgroup 2", self._version_2)):
            try:
                make(max(quota_us, 1000), period_us)
            except OSError:
                self._leave()
                continue
            self.how = how
            return self
        if not hasattr(signal, "SIGSTOP"):
            raise OSError("this system cannot hold a process to a share of a processor")
        self.how = "stop and continue"
        if self._vcpu < 1:
            self._turns = threading.Thread(target=self._take_turns, daemon=True)
            self._turns.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._turns is not None:
            self._turns.join()
        self._leave()

    def _version_1(self, quota_us: int, period_us: int) -> None:
        self._join(_GROUPS / "cpu", "cpu.cfs_quota_us")
        self._write("cpu.cfs_period_us", period_us)
        self._write("cpu.cfs_quota_us", quota_us)
        # Other work on the machine is not part of the experiment.
        self._write("cpu.shares", 262144)

    def _version_2(self, quota_us: int, period_us: int) -> None:
        own = Path(f"/proc/{self._pid}/cgroup").read_text(encoding="utf-8").strip()
        self._join(_GROUPS / own.rpartition(":")[2].lstrip("/"), "cpu.max")
        (self._group or _GROUPS).joinpath("cpu.max").write_text(f"{quota_us} {period_us}")
        self._write("cpu.weight", 10_000)

    def _join(self, parent: Path, needed: str) -> None:
        group = parent / f"sbe-{self._pid}"
        if not parent.is_dir():
            raise OSError(f"{parent} is no control group")
        group.mkdir()
        self._group, self._back = group, parent
        if not (group / needed).is_file():
            raise OSError(f"{parent} does not control the processor")
        self._write("cgroup.procs", self._pid)

    def _write(self, name: str, value: int) -> None:
        if self._group is not None:
            (self._group / name).write_text(str(value), encoding="ascii")

    def _leave(self) -> None:
        """Put the process back where it came from and remove the group."""
        if self._group is None or self._back is None:
            return
        with contextlib.suppress(OSError):  # the process may have ended
            (self._back / "cgroup.procs").write_text(str(self._pid), encoding="ascii")
        for _ in range(50):
            try:
                self._group.rmdir()
                break
            except OSError:
                time.sleep(0.02)
        self._group = self._back = None

    def _take_turns(self) -> None:
        runs_s = PERIOD_S * self._vcpu
        try:
            while not self._stop.is_set():
                os.kill(self._pid, signal.SIGCONT)
                began_s = time.monotonic()
                time.sleep(runs_s)
                os.kill(self._pid, signal.SIGSTOP)
                # On a busy machine this thread wakes late: what ran too long stands as much longer.
                ran_s = time.monotonic() - began_s
                time.sleep(ran_s / self._vcpu - ran_s)
            os.kill(self._pid, signal.SIGCONT)
        except ProcessLookupError:
            pass  # it has ended
