"""An SNS standard topic: one publish, a copy to every queue and function that subscribes.

May import: the standard library, SimPy, `simulations.facts`, `.workload`, `.clock`,
`.simulation` and this room's `limits` and `queue`.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from simulations.clock import Caller, Step
from simulations.facts import fact
from simulations.services.limits import limited
from simulations.services.queue import chunks
from simulations.simulation import Component, Simulation
from simulations.trace import NAN
from simulations.workload import Distribution, as_distribution


@runtime_checkable
class Subscriber(Protocol):
    """What a topic delivers to: a queue, or a function's asynchronous queue (`AsyncInvoke`)."""

    def deliver(self, body: Any, caller: Caller, size_kb: float) -> None:
        """Take a copy: nobody waits for it."""


class Topic(Component):
    """An SNS standard topic.

    Parameters
    ----------
    publish_s : float or Distribution
        How long the publisher waits for the answer. Copies reach the subscribers at that
        moment; deliveries to queues and functions are not billed (fact
        `sns.price.delivery.sqs_lambda`), and functions are invoked asynchronously.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> from simulations import Poisson, Queue
    >>> sim = Simulation(seed=1)
    >>> email, sms = Queue(sim, "email"), Queue(sim, "sms")
    >>> news = Topic(sim, "customer-notifications").subscribe(email).subscribe(sms)
    >>> trace = sim.run(Poisson(rate_per_s=1) >> news, duration_s=60)
    >>> email.sent == sms.sent == len(trace.requests)
    True
    """

    def __init__(
        self, sim: Simulation, name: str, *, publish_s: float | Distribution = 0.0
    ) -> None:
        takes = as_distribution(publish_s)
        super().__init__(sim, name, publish_s=takes)
        self._time = sim.times(name + " publish", takes)
        self.largest_kb = fact("sns.limits")["message_kib"]
        self._subscribers: list[Subscriber] = []
        self._published = 0
        self._operation, self._ok = sim.trace.code("publish"), sim.trace.code("ok")

    def subscribe(self, subscriber: Subscriber) -> Topic:
        """Let it have a copy of everything published from now on; returns the topic."""
        if not isinstance(subscriber, Subscriber):
            raise ValueError(f"subscriber={subscriber!r} is not a Queue or an AsyncInvoke")
        if subscriber in self._subscribers:
            raise ValueError(f"{subscriber!r} subscribes already")
        self._subscribers.append(subscriber)
        return self

    def publish(self, body: Any, caller: Caller | None = None, size_kb: float = 1.0) -> Step:
        """Publish one message and wait for the answer."""
        if not 0 < size_kb <= self.largest_kb:
            limited("size_kb", size_kb, 1 / 1024, self.largest_kb, " KB", "sns.limits")
        step = _Publish(self, body, caller, size_kb)
        self._published += 1
        entity = body if isinstance(body, int) else self._published
        step.end_at(self.sim.clock._now + self._time(entity, step.caller.attempt))
        return step

    accept = publish


class _Publish(Step):
    """A message on its way to the subscribers."""

    def __init__(self, topic: Topic, body: Any, caller: Caller | None, size_kb: float) -> None:
        super().__init__(topic.sim, caller)
        self.topic = topic
        self.body = body
        self.size_kb = size_kb
        self.span = topic.sim.new_span()
        self.queued_s = self.env._now
        self.callbacks.append(_published)
        topic.inside.add(1)

    def record(self, end_s: float, outcome: int, units: int) -> None:
        topic, by = self.topic, self.caller
        topic.sim.trace.spans.append(
            (
                self.span, by.span, by.request, topic.code, topic._operation, -1, by.attempt,
                self.queued_s, self.queued_s, 0.0, end_s, outcome, float(len(topic._subscribers)),
                float(units),
            )
        )  # fmt: skip

    def unfinished(self) -> None:
        self.record(NAN, self.topic.sim.trace.code("unfinished"), 0)


def _published(publish: _Publish) -> None:
    topic = publish.topic
    topic.inside.add(-1)
    publish.record(publish.env._now, topic._ok, chunks(publish.size_kb))
    for subscriber in topic._subscribers:
        subscriber.deliver(publish.body, publish.caller, publish.size_kb)
