"""The chained order system written the way SimPy's documentation writes models.

It has the features of architecture A1 in `simulations.orders` that the benchmark uses, and no
more: one function a step, execution environments that are reused most recent first and expire,
INIT, a time-out for each invocation, provider times drawn per order and step, declined cards, and
a row for each invocation and call. A process an invocation, a time-out by `|`, a list for the
trace. May import: the standard library and SimPy.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from random import Random
from typing import Any

import simpy

Process = Generator[simpy.Event, Any, Any]


def lognormal(mean: float, cv: float) -> tuple[float, float]:
    """Parameters of the logarithm, for `Random.lognormvariate`."""
    variance = math.log1p(cv**2)
    return math.log(mean) - variance / 2, math.sqrt(variance)


class Provider:
    """A provider that takes a lognormal time."""

    def __init__(self, shop: PlainShop, name: str, mean_s: float, cv: float) -> None:
        self.shop = shop
        self.name = name
        self.logarithm = lognormal(mean_s, cv)

    def call(self, order: int, parent: int) -> Process:
        """Take the time and note it."""
        shop = self.shop
        start_s = shop.env.now
        yield shop.env.timeout(shop.random.lognormvariate(*self.logarithm))
        shop.spans.append((shop.new_span(), parent, order, self.name, start_s, shop.env.now, "ok"))


class Function:
    """A function with a pool of environments, INIT and a time-out."""

    def __init__(self, shop: PlainShop, name: str, handler: Any, near: bool) -> None:
        self.shop = shop
        self.name = name
        self.handler = handler
        self.near = near
        self.idle: list[tuple[float, int]] = []
        self.created = 0
        self.busy_s = 0.0

    def invoke(self, order: int, parent: int) -> Process:
        """Find an environment, run the handler in it, give it back."""
        shop, env = self.shop, self.shop.env
        if not self.near:
            yield env.timeout(shop.invoke_s)
        queued_s = env.now
        while self.idle and self.idle[0][0] <= env.now:
            self.idle.pop(0)
        if self.idle:
            _, environment = self.idle.pop()
        else:
            environment = self.created
            self.created += 1
            yield env.timeout(shop.random.lognormvariate(*shop.init))
        start_s = env.now
        span = shop.new_span()
        work = env.process(self.handler(order, span))
        outcome = "ok"
        value = None
        done = yield work | env.timeout(shop.timeout_s)
        if work in done:
            value = work.value
        else:
            work.interrupt()
            outcome = "timeout"
        self.busy_s += env.now - start_s
        self.idle.append((env.now + shop.random.uniform(294.0, 347.0), environment))
        shop.spans.append(
            (span, parent, order, self.name, environment, queued_s, start_s, env.now, outcome)
        )
        return value


class PlainShop:
    """The shop: providers, functions, and orders that come at random."""

    timeout_s = 10.0

    def __init__(self, shop: Any, rate_per_s: float, seed: int = 1) -> None:
        self.env = simpy.Environment()
        self.random = Random(seed)
        self.rate_per_s = rate_per_s
        self.shop = shop
        self.invoke_s = shop.invoke_ms / 1000
        self.init = lognormal(0.3, 0.3)
        self.spans: list[tuple[Any, ...]] = []
        self.requests: list[tuple[int, float, float]] = []
        self.spanned = 0
        steps = {
            "SetAsideStock": Provider(self, "stock", shop.set_aside_ms / 1000, shop.set_aside_cv),
            "AuthorizePayment": Provider(
                self, "payments", shop.authorize_ms / 1000, shop.authorize_cv
            ),
            "DecreaseStock": Provider(
                self, "database", shop.decrease_ms / 1000, shop.decrease_cv
            ),
            "SendEmail": Provider(self, "mail", shop.email_ms / 1000, shop.email_cv),
        }  # fmt: skip
        self.steps = {
            name: Function(self, name, self.step(provider), near=False)
            for name, provider in steps.items()
        }
        self.submit = Function(self, "SubmitOrder", self.submit_order, near=True)

    def new_span(self) -> int:
        """Return the next span's number."""
        self.spanned += 1
        return self.spanned

    def step(self, provider: Provider) -> Any:
        """Return the handler of a step."""

        def handler(order: int, span: int) -> Process:
            yield self.env.timeout(self.shop.handler_cpu_ms / 1000)
            yield self.env.process(provider.call(order, span))
            return self.random.random() >= self.shop.declined_share

        return handler

    def submit_order(self, order: int, span: int) -> Process:
        """Run the steps one after the other."""
        yield self.env.timeout(self.shop.handler_cpu_ms / 1000)
        yield self.env.process(self.steps["SetAsideStock"].invoke(order, span))
        accepted = yield self.env.process(self.steps["AuthorizePayment"].invoke(order, span))
        if accepted:
            yield self.env.process(self.steps["DecreaseStock"].invoke(order, span))
            yield self.env.process(self.steps["SendEmail"].invoke(order, span))

    def customer(self, order: int) -> Process:
        """Send an order and note how long it took."""
        start_s = self.env.now
        yield self.env.process(self.submit.invoke(order, 0))
        self.requests.append((order, start_s, self.env.now))

    def arrivals(self, duration_s: float) -> Process:
        """Send orders at random moments."""
        order = 0
        while True:
            yield self.env.timeout(self.random.expovariate(self.rate_per_s))
            if self.env.now >= duration_s:
                return
            self.env.process(self.customer(order))
            order += 1

    def run(self, duration_s: float) -> int:
        """Run it and return the number of invocations."""
        self.env.process(self.arrivals(duration_s))
        self.env.run()
        return sum(len(row) == 9 for row in self.spans)
