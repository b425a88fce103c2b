"""A region of a function platform in SimPy: front end, assignment, placement, workers, zones.

The parts are those that AWS names (front end, assignment service, placement service, workers in
several Availability Zones); where AWS documents no rule, the rule is ours and says so. May
import: the standard library and SimPy, and the rooms above `experiments`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import simpy

from simulations._check import between, not_negative, positive, whole

#: A SimPy process: what it yields is where time passes.
Way = Generator[simpy.Event, Any, Any]


@dataclass(frozen=True)
class Tenant:
    """One function on the platform: Poisson requests a second, memory, seconds a request."""

    rate_per_s: float
    memory_mb: int = 128
    duration_s: float = 0.1


@dataclass(eq=False)
class Worker:
    """A machine that carries environments until its memory is full."""

    zone: int
    free_mb: int
    carried: int = 0
    lost: bool = False


@dataclass(eq=False)
class Sandbox:
    """An execution environment: a microVM on a worker, with one function's code."""

    tenant: int
    memory_mb: int
    worker: Worker
    idle: bool = False
    uses: int = 0


@dataclass
class Counts:
    """What happened, and integrals over time (MB s, worker s)."""

    requests: int = 0
    cold: int = 0
    held: float = 0.0
    busy: float = 0.0
    workers: float = 0.0
    environments: float = 0.0
    #: When each request was assigned, and whether it found nothing idle.
    calls: list[tuple[float, bool]] = field(default_factory=list)


class Platform:
    """A region: front end, assignment, placement, workers in `zones` Availability Zones.

    Parameters
    ----------
    tenants : sequence of Tenant
        The functions.
    keep_alive_s : float
        Idle seconds after which an environment is given up.
    packing : {"pack", "spread"}
        Placement puts an environment on the first worker of a zone that has room, or on the
        emptiest. The zone is always the one that carries least. AWS documents neither rule.
    front_s, start_s : float
        Front end and assignment; placement, boot, code and INIT.
    lost_zone_at_s : float, optional
        When the workers of zone 0 disappear, with all that they carry.
    """

    def __init__(
        self,
        tenants: Sequence[Tenant],
        *,
        keep_alive_s: float,
        packing: str = "pack",
        zones: int = 3,
        worker_mb: int = 16_384,
        front_s: float = 0.002,
        start_s: float = 0.3,
        lost_zone_at_s: float | None = None,
        seed: int = 1,
    ) -> None:
        if packing not in ("pack", "spread"):
            raise ValueError(f"packing={packing!r} is neither 'pack' nor 'spread'")
        most = max((t.memory_mb for t in tenants), default=0)
        if not most or worker_mb < most:
            raise ValueError(f"worker_mb={worker_mb} must hold each tenant's memory, up to {most}")
        self.tenants = tuple(tenants)
        self.keep_alive_s = not_negative("keep_alive_s", keep_alive_s)
        self.packing = packing
        self.zones = whole("zones", zones, low=1)
        self.worker_mb = worker_mb
        self.front_s = not_negative("front_s", front_s)
        self.start_s = not_negative("start_s", start_s)
        self.clock = simpy.Environment()
        self.random = Random(f"{seed} platform")
        self.counts = Counts()
        self.workers: list[Worker] = []
        self.lost_zone_at_s = lost_zone_at_s
        self._idle: list[list[Sandbox]] = [[] for _ in self.tenants]
        self._resting: deque[tuple[float, Sandbox, int]] = deque()
        self._changed_s = 0.0
        self._held_mb = self._busy_mb = self._sandboxes = 0

    def run(self, duration_s: float, warmup_s: float = 0.0) -> Counts:
        """Let every tenant send requests for so long after a warm-up; return what was counted."""
        positive("duration_s", duration_s)
        duration_s += not_negative("warmup_s", warmup_s)
        for number in range(len(self.tenants)):
            self.clock.process(self._send(number))
        if self.lost_zone_at_s is not None:
            self.clock.process(
                self._lose_zone(between("lost_zone_at_s", self.lost_zone_at_s, 0, duration_s))
            )
        if warmup_s:
            self.clock.run(until=warmup_s)
            self._give_up(warmup_s)
            self._count(warmup_s)
            self.counts = Counts()
        self.clock.run(until=duration_s)
        self._give_up(duration_s)
        self._count(duration_s)
        return self.counts

    def _send(self, number: int) -> Way:
        rate = self.tenants[number].rate_per_s
        while True:
            yield self.clock.timeout(self.random.expovariate(rate))
            self.clock.process(self.request(number))

    def request(self, number: int) -> Way:
        """One request's way, from the call to the end of its handler."""
        yield self.clock.timeout(self.front_s)
        sandbox = self.assign(number)
        if sandbox is None:
            sandbox = self.place(number)
            yield self.clock.timeout(self.start_s)
        yield from self.handle(sandbox)

    def assign(self, number: int) -> Sandbox | None:
        """The function's most recently used idle environment, or None."""
        now_s = self.clock.now
        self._give_up(now_s)
        idle = self._idle[number]
        sandbox = idle.pop() if idle else None
        self.counts.requests += 1
        self.counts.calls.append((now_s, sandbox is None))
        if sandbox is not None:
            sandbox.idle = False
        return sandbox

    def handle(self, sandbox: Sandbox) -> Way:
        """Run the handler; then the environment rests."""
        number, memory = sandbox.tenant, sandbox.memory_mb
        self._count(self.clock.now)
        self._busy_mb += memory
        yield self.clock.timeout(self.tenants[number].duration_s)
        self._count(self.clock.now)
        self._busy_mb -= memory
        if sandbox.worker.lost:
            return
        sandbox.idle = True
        sandbox.uses += 1
        self._idle[number].append(sandbox)
        self._resting.append((self.clock.now + self.keep_alive_s, sandbox, sandbox.uses))

    def place(self, number: int) -> Sandbox:
        """Find room for a new environment, on a new worker if need be."""
        memory = self.tenants[number].memory_mb
        self.counts.cold += 1
        carried = [0] * self.zones
        for worker in self.workers:
            carried[worker.zone] += self.worker_mb - worker.free_mb
        zones = [z for z in range(self.zones) if not (z == 0 and self._zone_is_lost())]
        zone = min(zones, key=lambda z: carried[z])
        room = [w for w in self.workers if w.zone == zone and w.free_mb >= memory]
        self._count(self.clock.now)
        if room:
            worker = room[0] if self.packing == "pack" else max(room, key=lambda w: w.free_mb)
        else:
            worker = Worker(zone, self.worker_mb)
            self.workers.append(worker)
        worker.free_mb -= memory
        worker.carried += 1
        self._held_mb += memory
        self._sandboxes += 1
        return Sandbox(number, memory, worker)

    def _zone_is_lost(self) -> bool:
        return self.lost_zone_at_s is not None and self.clock.now >= self.lost_zone_at_s

    def _lose_zone(self, at_s: float) -> Way:
        yield self.clock.timeout(at_s)
        self._give_up(at_s)
        self._count(at_s)
        for worker in self.workers:
            if worker.zone == 0:
                worker.lost = True
                self._held_mb -= self.worker_mb - worker.free_mb
                self._sandboxes -= worker.carried
        self.workers = [worker for worker in self.workers if not worker.lost]
        self._idle = [[s for s in idle if not s.worker.lost] for idle in self._idle]

    def _give_up(self, now_s: float) -> None:
        """End the environments whose time is up, each at its own time."""
        while self._resting and self._resting[0][0] <= now_s:
            at_s, sandbox, use = self._resting.popleft()
            worker = sandbox.worker
            if not sandbox.idle or sandbox.uses != use or worker.lost:
                continue
            self._count(at_s)
            self._idle[sandbox.tenant].remove(sandbox)
            worker.free_mb += sandbox.memory_mb
            worker.carried -= 1
            self._held_mb -= sandbox.memory_mb
            self._sandboxes -= 1
            if not worker.carried:
                self.workers.remove(worker)

    def _count(self, now_s: float) -> None:
        """Add what stood since the last change to the integrals."""
        passed = now_s - self._changed_s
        if passed > 0:
            counts = self.counts
            counts.held += passed * self._held_mb
            counts.busy += passed * self._busy_mb
            counts.workers += passed * len(self.workers)
            counts.environments += passed * self._sandboxes
            self._changed_s = now_s
