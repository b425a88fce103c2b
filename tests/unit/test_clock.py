"""Time: the order of ties, deadlines with one armed timer, integrals."""

from __future__ import annotations

from functools import partial

from simulations.clock import ARRIVAL, COMPLETION, EXPIRY, Clock, Deadlines, Integral


def test_what_is_done_comes_before_what_is_over_before_what_arrives() -> None:
    clock = Clock()
    seen: list[str] = []
    clock.at(1.0, lambda _: seen.append("arrival"), ARRIVAL)
    clock.at(1.0, lambda _: seen.append("expiry"), EXPIRY)
    clock.at(1.0, lambda _: seen.append("completion"), COMPLETION)
    clock.run_until()
    assert seen == ["completion", "expiry", "arrival"]


def test_the_clock_stops_after_the_last_event_at_the_end() -> None:
    clock = Clock()
    seen: list[float] = []
    for time_s in (1.0, 2.0, 2.5):
        clock.at(time_s, lambda _: seen.append(clock.now), ARRIVAL)
    clock.run_until(2.0)
    assert seen == [1.0, 2.0]


class Entry:
    """Anything that can be told apart."""


def push(deadlines: Deadlines, entry: Entry, _: object) -> None:
    deadlines.push(entry)


def test_deadlines_expire_in_order_and_withdrawn_ones_do_not() -> None:
    clock = Clock()
    expired: list[tuple[float, Entry]] = []
    deadlines = Deadlines(clock, 10.0, lambda entry: expired.append((clock.now, entry)))
    first, second, third = Entry(), Entry(), Entry()
    for time_s, entry in ((0.0, first), (1.0, second), (2.0, third)):
        clock.at(time_s, partial(push, deadlines, entry), ARRIVAL)
    clock.at(5.0, lambda _: deadlines.withdraw(second), ARRIVAL)
    clock.run_until()
    assert expired == [(10.0, first), (12.0, third)]


def test_a_deadline_that_is_withdrawn_and_set_anew_counts_from_then_on() -> None:
    clock = Clock()
    expired: list[float] = []
    deadlines = Deadlines(clock, 10.0, lambda _: expired.append(clock.now))
    entry, other = Entry(), Entry()

    def anew(_: object) -> None:
        deadlines.withdraw(entry)
        deadlines.push(entry)

    clock.at(0.0, lambda _: deadlines.push(entry), ARRIVAL)
    clock.at(1.0, lambda _: deadlines.push(other), ARRIVAL)
    clock.at(4.0, anew, ARRIVAL)
    clock.run_until()
    assert expired == [11.0, 14.0]


def test_a_thousand_deadlines_that_are_not_needed_take_one_timer() -> None:
    clock = Clock()
    deadlines = Deadlines(clock, 10.0, lambda _: None)
    for _ in range(1000):
        entry = Entry()
        deadlines.push(entry)
        deadlines.withdraw(entry)
        assert entry not in deadlines
    assert len(clock._queue) == 1
    clock.run_until()
    assert clock.now == 10.0


def test_an_integral_adds_up_number_times_time() -> None:
    clock = Clock()
    busy = Integral(clock)
    clock.at(1.0, lambda _: busy.add(+3), ARRIVAL)
    clock.at(3.0, lambda _: busy.add(-2), ARRIVAL)
    clock.run_until()
    assert busy.area(at_s=10.0) == 3 * 2.0 + 1 * 7.0
    assert (busy.inside, busy.most) == (1, 3)
