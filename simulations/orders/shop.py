"""The shop: what an order needs, how long each step takes and how it fails.

The steps are written once, here; each architecture puts them together in its own file.
May import: the standard library and the rooms above `orders`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from simulations._check import between, not_negative, positive
from simulations.faults import Fault
from simulations.services import Context, Function, Provider, Queue
from simulations.services.handler import Steps
from simulations.simulation import Component, Simulation
from simulations.workload import Distribution, Lognormal

STOCK = "stock reservations"
PAYMENTS = "payment provider"
DATABASE = "stock database"
MAIL = "mail provider"
SMS = "SMS provider"

#: INIT of every function of the shop; an assumption of the example, like its other times.
INIT_S = Lognormal(0.3, 0.3)

#: Every provider in the order in which the coupled designs call them.
PROVIDERS = (STOCK, PAYMENTS, DATABASE, MAIL, SMS)


@dataclass(frozen=True)
class Shop:
    """The shop's parameters. All times are assumptions of the example, not measurements.

    Parameters
    ----------
    set_aside_ms, authorize_ms, decrease_ms, email_ms, sms_ms : float
        Mean time of each step; `*_cv` its coefficient of variation (lognormal).
    declined_share : float
        Share of cards that the payment provider declines: an answer, not an error.
    handler_cpu_ms : float
        Work of every function's own code.
    invoke_ms : float
        From one function, or a poller, to the handler of another.
    send_ms, send_cv : float
        Time to send or publish one message.
    failure : float
        Share of calls to each provider that end in an error.
    after_effect_share : float
        Of these, the share that fails after the side effect took place.
    outages : tuple of (provider, start_s, end_s)
        When a provider is down.
    timeout_s : float
        Of every function.
    visibility_timeout_s : float, optional
        Of every queue; six times the timeout and the batch window without, as AWS advises.
    max_receive_count : int, optional
        Receives before a message is dead-lettered; None for ever.
    idempotent_payment : bool
        Whether payments carry an idempotency key that the provider honors.
    duplicate_share : float
        Share of messages that a queue delivers twice.
    database_connections : int, optional
        Connections for decreasing stock; unlimited without.
    maximum_concurrency : int, optional
        Of every event source mapping.
    window_s : float
        Batch window of the batched design.
    reserved_concurrency : int, optional
        Of the function that takes orders.
    warm : bool
        Whether environments start warm (for comparison with closed forms).
    with_sms : bool
        Whether a text message follows the e-mail.

    Raises
    ------
    ValueError
        If a value is impossible.
    """

    set_aside_ms: float = 30.0
    set_aside_cv: float = 0.5
    authorize_ms: float = 800.0
    authorize_cv: float = 0.6
    decrease_ms: float = 40.0
    decrease_cv: float = 0.5
    email_ms: float = 300.0
    email_cv: float = 0.5
    sms_ms: float = 250.0
    sms_cv: float = 0.5
    declined_share: float = 0.03
    handler_cpu_ms: float = 15.0
    invoke_ms: float = 12.0
    send_ms: float = 10.0
    send_cv: float = 0.5
    memory_mb: int = 512
    timeout_s: float = 30.0
    failure: float = 0.0
    after_effect_share: float = 0.5
    outages: tuple[tuple[str, float, float], ...] = ()
    max_receive_count: int | None = 5
    visibility_timeout_s: float | None = None
    idempotent_payment: bool = False
    duplicate_share: float = 0.0
    database_connections: int | None = None
    maximum_concurrency: int | None = None
    window_s: float = 1.0
    reserved_concurrency: int | None = None
    warm: bool = False
    with_sms: bool = False

    def __post_init__(self) -> None:
        for name in ("declined_share", "failure", "after_effect_share", "duplicate_share"):
            between(name, getattr(self, name), 0, 1)
        for name in ("set_aside", "authorize", "decrease", "email", "sms", "send"):
            positive(name + "_ms", getattr(self, name + "_ms"))
            not_negative(name + "_cv", getattr(self, name + "_cv"))
        for name in ("handler_cpu_ms", "invoke_ms"):
            not_negative(name, getattr(self, name))
        for provider, start_s, end_s in self.outages:
            if provider not in PROVIDERS:
                raise ValueError(f"outages: {provider!r} is none of {', '.join(PROVIDERS)}")
            Fault(outages=((start_s, end_s),))

    def but(self, **changes: Any) -> Shop:
        """The same shop with some parameters changed."""
        return replace(self, **changes)

    def faults(self) -> dict[str, Fault]:
        """The faults of every provider, for `Simulation(faults=...)`."""
        return {
            name: Fault(
                self.failure,
                self.after_effect_share,
                tuple((a, b) for p, a, b in self.outages if p == name),
            )
            for name in PROVIDERS
        }

    def open(self, sim: Simulation) -> OrderBook:
        """Make the providers, and the book that keeps each order's state."""
        times = {
            STOCK: (self.set_aside_ms, self.set_aside_cv),
            PAYMENTS: (self.authorize_ms, self.authorize_cv),
            DATABASE: (self.decrease_ms, self.decrease_cv),
            MAIL: (self.email_ms, self.email_cv),
            SMS: (self.sms_ms, self.sms_cv),
        }
        for name, (mean_ms, cv) in times.items():
            Provider(
                sim,
                name,
                mean_ms=mean_ms,
                cv=cv,
                connections=self.database_connections if name == DATABASE else None,
                idempotent=name == PAYMENTS and self.idempotent_payment,
            )
        return OrderBook(sim)

    def function(self, sim: Simulation, name: str, handler: Any, called: bool = True) -> Function:
        """A function with the shop's settings; `called` when another part of it calls it."""
        init: float | Distribution = 0.0 if self.warm else INIT_S
        return Function(
            sim,
            name,
            handler,
            memory_mb=self.memory_mb,
            timeout_s=self.timeout_s,
            init_s=init,
            invoke_s=self.invoke_ms / 1000 if called else 0.0,
            reserved_concurrency=None if called else self.reserved_concurrency,
        )

    def queue(self, sim: Simulation, name: str) -> Queue:
        """A queue with the shop's settings."""
        hidden_s = self.visibility_timeout_s
        if hidden_s is None:
            hidden_s = 6 * self.timeout_s + self.window_s
        return Queue(
            sim,
            name,
            visibility_timeout_s=hidden_s,
            max_receive_count=self.max_receive_count,
            send_s=self.send_time(),
            duplicate_share=self.duplicate_share,
        )

    def send_time(self) -> Distribution:
        """How long a send or a publish takes."""
        return Lognormal(self.send_ms / 1000, self.send_cv)

    # The steps. Each is called with `yield from`, in a coupled function or in a consumer.

    def set_aside(self, order: int, context: Context) -> Steps:
        """Reserve the stock."""
        yield context.call(STOCK, entity=order)

    def release(self, order: int, context: Context) -> Steps:
        """Give the reserved stock back."""
        yield context.call(STOCK, entity=-1 - order)

    def authorize(self, order: int, context: Context) -> Steps:
        """Charge the card; returns whether it was accepted."""
        yield context.call(PAYMENTS, entity=order)
        return context.draw("card declined", order) >= self.declined_share

    def decrease(self, order: int, context: Context) -> Steps:
        """Take the reserved stock out of the books."""
        yield context.call(DATABASE, entity=order)

    def email(self, order: int, context: Context) -> Steps:
        """Confirm by e-mail."""
        yield context.call(MAIL, entity=order)

    def sms(self, order: int, context: Context) -> Steps:
        """Confirm by text message."""
        yield context.call(SMS, entity=order)


class OrderBook(Component):
    """Each order's state: one item with conditional transitions.

    It stands for a table with one item an order. A transition is conditional: only the first
    to make it is told so, whatever is delivered twice.
    """

    billed = False

    def __init__(self, sim: Simulation) -> None:
        super().__init__(sim, "orders")
        self._done: set[tuple[int, str]] = set()
        self._settled = sim.trace.code("settled")

    def note(self, order: int, step: str) -> bool:
        """Note that a step is done; whether this is the first time."""
        done = self._done
        before = len(done)
        done.add((order, step))
        return len(done) > before

    def has(self, order: int, *steps: str) -> bool:
        """Whether all of these steps of the order are done."""
        return all((order, step) in self._done for step in steps)

    def settle(self, order: int, outcome: str) -> str:
        """Note how the order ended, with the time; returns the outcome."""
        if self.note(order, "settled"):
            sim = self.sim
            now = sim.clock._now
            note = sim.trace.spans.append
            note(
                (
                    sim.new_span(), -1, order, self.code, self._settled, -1, 1, now, now, 0.0, now,
                    sim.trace.code(outcome), 0.0, 0.0,
                )
            )  # fmt: skip
        return outcome


def settled_s(trace: Any) -> dict[int, float]:
    """When each order was confirmed or declined, in seconds since the start of the run."""
    book, settled = trace.code("orders"), trace.code("settled")
    spans = trace.spans
    return {
        request: end
        for request, component, operation, end in zip(
            spans.request, spans.component, spans.operation, spans.end_s, strict=True
        )
        if component == book and operation == settled
    }
