"""An SNS standard topic: one publish, a copy into every queue that subscribes.

May import: the standard library, SimPy, `simulations.facts`, `.workload`, `.simulation` and
this room's `queue`.
"""

from __future__ import annotations

from typing import Any

from simulations._check import positive
from simulations.facts import fact
from simulations.services.queue import Queue, _chunks
from simulations.simulation import Caller, Component, Simulation, Step
from simulations.workload import Distribution, as_distribution


class Topic(Component):
    """An SNS standard topic.

    Parameters
    ----------
    publish_s : float or Distribution
        How long the publisher waits for the answer. Copies reach the queues at that moment.

    Examples
    --------
    >>> sim = Simulation(seed=1)
    >>> email, sms = Queue(sim, "email"), Queue(sim, "sms")
    >>> news = Topic(sim, "customer-notifications").subscribe(email).subscribe(sms)
    >>> from simulations import Poisson
    >>> trace = sim.run(Poisson(rate_per_s=1) >> news, duration_s=60)
    >>> email.sent == sms.sent == len(trace.requests)
    True
    """

    def __init__(self, sim: Simulation, name: str, *, publish_s: float | Distribution = 0.0) -> None:
        super().__init__(sim, name)
        self._publish = as_distribution(publish_s)
        self._queues: list[Queue] = []

    def subscribe(self, queue: Queue) -> Topic:
        """Let `queue` have a copy of everything published from now on; returns the topic."""
        if not isinstance(queue, Queue):
            raise ValueError(f"queue={queue!r} is not a Queue")
        if queue in self._queues:
            raise ValueError(f"{queue!r} subscribes already")
        self._queues.append(queue)
        return self

    def publish(self, body: Any, caller: Caller | None = None, size_kb: float = 1.0) -> Step:
        """Publish one message and wait for the answer."""
        limit = fact("sns.limits")
        if positive("size_kb", size_kb) > limit["message_kib"]:
            raise ValueError(
                f"size_kb={size_kb!r} must be at most {limit['message_kib']} "
                f"({limit.source.title}, {limit.source.url})"
            )
        sim = self.sim
        step = sim.step(caller)
        queued_s = sim.clock.now
        span = sim.new_span()

        def published(_: object) -> None:
            by = step.caller
            for queue in self._queues:
                queue.deliver(body, by, size_kb)
            code = sim.trace.code
            sim.trace.spans.append(
                (
                    span, by.span, by.request, self.code, code("publish"), -1, by.attempt,
                    queued_s, queued_s, 0.0, sim.clock.now, code("ok"),
                    float(len(self._queues)), _chunks(size_kb),
                )
            )  # fmt: skip
            step.succeed()

        entity = body if isinstance(body, int) else span
        sim.after(self._publish.quantile(sim.draw(self.name + " publish", entity)), published)
        return step

    accept = publish
