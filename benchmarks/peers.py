"""The task in each peer, written the way its own documentation writes models; nothing patched.

`python peers.py TOOL RATE REQUESTS REPEATS`, in the environment of `requirements.txt`. Each tool
is imported where it is used, so that one does not weigh on another's memory.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Generator
from heapq import heappop, heappush
from random import Random
from typing import Any

from task import COLD_S, KEEP_ALIVE_S, WARM_S, Count, Tool, answer


def simfaas(rate_per_s: float, duration_s: float, seed: int) -> Count:
    """SimFaaS's own simulator of exactly this task; it serves with the newest environment."""
    import numpy
    from simfaas.ServerlessSimulator import ServerlessSimulator

    numpy.random.seed(seed)
    sim = ServerlessSimulator(
        arrival_rate=rate_per_s, warm_service_rate=1 / WARM_S, cold_service_rate=1 / COLD_S,
        expiration_threshold=KEEP_ALIVE_S, max_time=duration_s, maximum_concurrency=10**9,
    )  # fmt: skip
    sim.generate_trace()
    return Count(sim.total_req_count, sim.total_cold_count)


class Pool:
    """Environments whose work is asked for in order of arrival; for tools without idle servers."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.busy: list[float] = []
        self.idle: deque[float] = deque()
        self.requests = self.cold = 0

    def service(self, now_s: float) -> float:
        """Return how long the request that comes now takes."""
        busy, idle = self.busy, self.idle
        while busy and busy[0] <= now_s:
            idle.append(heappop(busy))
        while idle and idle[0] + KEEP_ALIVE_S <= now_s:
            idle.popleft()
        self.requests += 1
        if idle:
            idle.pop()
            took_s = self.random.expovariate(1 / WARM_S)
        else:
            self.cold += 1
            took_s = self.random.expovariate(1 / COLD_S)
        heappush(busy, now_s + took_s)
        return took_s


def ciw(rate_per_s: float, duration_s: float, seed: int) -> Count:
    """Ciw: one node with servers without limit; the pool is in the service distribution."""
    import ciw as library

    # Seeded apart: Ciw draws its arrivals from a generator with the seed that it is given.
    pool = Pool(Random(f"{seed} services"))

    class Service(library.dists.Distribution):  # type: ignore[misc]
        def sample(self, t: float | None = None, ind: Any = None) -> float:
            return pool.service(t or 0.0)

    library.seed(seed)
    network = library.create_network(
        arrival_distributions=[library.dists.Exponential(rate_per_s)],
        service_distributions=[Service()],
        number_of_servers=[float("inf")],
    )
    library.Simulation(network).simulate_until_max_time(duration_s)
    return Count(pool.requests, pool.cold)


def salabim_environment(rate_per_s: float, duration_s: float, seed: int) -> Count:
    """Salabim: a component for each environment, activated when it is to serve.

    Its time to end is then taken out of the list of events, which salabim does by searching.
    """
    import salabim as library

    random = Random(seed)
    idle: deque[Any] = deque()
    counts = [0, 0]

    class Instance(library.Component):  # type: ignore[misc]
        def process(self) -> Generator[Any, Any, None]:
            self.chosen = False
            yield self.hold(random.expovariate(1 / COLD_S))
            while True:
                idle.append(self)
                yield self.hold(KEEP_ALIVE_S)
                if not self.chosen:
                    idle.remove(self)
                    return
                self.chosen = False
                yield self.hold(random.expovariate(1 / WARM_S))

    class Customers(library.Component):  # type: ignore[misc]
        def process(self) -> Generator[Any, Any, None]:
            while True:
                yield self.hold(random.expovariate(rate_per_s))
                counts[0] += 1
                if idle:
                    instance = idle.pop()
                    instance.chosen = True
                    instance.activate()
                else:
                    counts[1] += 1
                    Instance()

    env = library.Environment(trace=False, yieldless=False, random_seed=seed)
    Customers()
    env.run(duration_s)
    return Count(*counts)


def salabim_request(rate_per_s: float, duration_s: float, seed: int) -> Count:
    """Salabim: a component for each request; making one is what takes long."""
    import salabim as library

    random = Random(seed)
    idle: deque[float] = deque()
    counts = [0, 0]

    class Request(library.Component):  # type: ignore[misc]
        def process(self) -> Generator[Any, Any, None]:
            while idle and idle[0] + KEEP_ALIVE_S <= env.now():
                idle.popleft()
            if idle:
                idle.pop()
                yield self.hold(random.expovariate(1 / WARM_S))
            else:
                counts[1] += 1
                yield self.hold(random.expovariate(1 / COLD_S))
            idle.append(env.now())

    class Customers(library.Component):  # type: ignore[misc]
        def process(self) -> Generator[Any, Any, None]:
            while True:
                yield self.hold(random.expovariate(rate_per_s))
                counts[0] += 1
                Request()

    env = library.Environment(trace=False, yieldless=False, random_seed=seed)
    Customers()
    env.run(duration_s)
    return Count(*counts)


# ---------------------------------------------------------------- SimPy, three idioms


def simpy_anyof(rate_per_s: float, duration_s: float, seed: int) -> Count:
    """SimPy: a process for each environment, which waits for work or for its time to be up."""
    import simpy

    env = simpy.Environment()
    random = Random(seed)
    idle: deque[Any] = deque()
    counts = [0, 0]

    def environment() -> Generator[Any, Any, None]:
        yield env.timeout(random.expovariate(1 / COLD_S))
        while True:
            work = env.event()
            idle.append(work)
            yield work | env.timeout(KEEP_ALIVE_S)
            if not work.triggered:
                idle.remove(work)
                return
            yield env.timeout(random.expovariate(1 / WARM_S))

    def customers() -> Generator[Any, Any, None]:
        while True:
            yield env.timeout(random.expovariate(rate_per_s))
            counts[0] += 1
            if idle:
                idle.pop().succeed()
            else:
                counts[1] += 1
                env.process(environment())

    env.process(customers())
    env.run(duration_s)
    return Count(*counts)


def simpy_process(rate_per_s: float, duration_s: float, seed: int) -> Count:
    """SimPy: a process for each request; environments that are over are found when one is needed."""
    import simpy

    env = simpy.Environment()
    random = Random(seed)
    idle: deque[float] = deque()
    counts = [0, 0]

    def request() -> Generator[Any, Any, None]:
        while idle and idle[0] + KEEP_ALIVE_S <= env.now:
            idle.popleft()
        if idle:
            idle.pop()
            yield env.timeout(random.expovariate(1 / WARM_S))
        else:
            counts[1] += 1
            yield env.timeout(random.expovariate(1 / COLD_S))
        idle.append(env.now)

    def customers() -> Generator[Any, Any, None]:
        while True:
            yield env.timeout(random.expovariate(rate_per_s))
            counts[0] += 1
            env.process(request())

    env.process(customers())
    env.run(duration_s)
    return Count(*counts)


def simpy_callback(rate_per_s: float, duration_s: float, seed: int) -> Count:
    """SimPy without processes: a function called at the end of each time-out."""
    import simpy

    env = simpy.Environment()
    random = Random(seed)
    idle: deque[float] = deque()
    counts = [0, 0]

    def ended(event: Any) -> None:
        idle.append(env.now)

    def arrived(event: Any) -> None:
        simpy.Timeout(env, random.expovariate(rate_per_s)).callbacks.append(arrived)
        counts[0] += 1
        while idle and idle[0] + KEEP_ALIVE_S <= env.now:
            idle.popleft()
        if idle:
            idle.pop()
            took_s = random.expovariate(1 / WARM_S)
        else:
            counts[1] += 1
            took_s = random.expovariate(1 / COLD_S)
        simpy.Timeout(env, took_s).callbacks.append(ended)

    simpy.Timeout(env, random.expovariate(rate_per_s)).callbacks.append(arrived)
    env.run(duration_s)
    return Count(*counts)


TOOLS: dict[str, Tool] = {
    tool.__name__: tool
    for tool in (
        simfaas,
        ciw,
        salabim_environment,
        salabim_request,
        simpy_anyof,
        simpy_process,
        simpy_callback,
    )
}

if __name__ == "__main__":
    answer(TOOLS, sys.argv[1:])
