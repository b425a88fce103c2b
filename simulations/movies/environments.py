"""Execution environments that are started, serve, rest and expire, from a function's trace.

May import the rooms down to `experiment` and, of the movies, `simulations.movies`.
"""

from __future__ import annotations

from simulations.figures.words import count
from simulations.movies import Actor, Curve, Key, Movie, Words, key_of, together
from simulations.services import Context, Function
from simulations.services.handler import Steps
from simulations.simulation import Simulation
from simulations.workload import Recorded

MINUTE_S = 60.0
#: A report that takes eighty seconds, asked for now and then.
TAKES_S = 80.0
INIT_S = 8.0
KEPT_S = 330.0
CALLS_MIN = (0.4, 2.0, 2.3, 2.6, 4.6, 6.5, 6.8, 9.4, 11.2, 11.5, 13.6, 18.4, 20.2)
LASTS_S = 24 * MINUTE_S
LEFT, RIGHT, TOP, LANE = 14.0, 346.0, 60.0, 38.0
BAR = 13.0


def _x(at_s: float) -> float:
    return LEFT + (RIGHT - LEFT) * at_s / LASTS_S


def movie() -> Movie:
    """Thirteen calls in twenty minutes on one function, and its environments."""

    def report(event: int, context: Context) -> Steps:
        yield context.wait(TAKES_S)

    sim = Simulation(seed=1)
    function = Function(sim, "Report", report, timeout_s=180.0, keep_alive_s=KEPT_S, init_s=INIT_S)
    arrivals = Recorded(tuple(MINUTE_S * at for at in CALLS_MIN))
    trace = sim.run(arrivals >> function, duration_s=LASTS_S)
    calls = sorted(trace.spans_of("Report", "invoke"), key=lambda span: span.queued_s)
    lives = {row.environment: row for row in trace.environments.rows()}
    numbers = sorted(lives)
    actors: list[Actor] = []
    curves: list[Curve] = []
    words: list[Words] = []
    steps: list[tuple[float, str]] = []
    for lane, number in enumerate(numbers):
        y = TOP + LANE * lane
        born_s = lives[number].created_s
        ended_s = lives[number].ended_s
        dead_s = ended_s if ended_s < LASTS_S else LASTS_S  # not a number: it lives on
        words.append(Words(LEFT, y - 7, ((0.0, f"environment {number + 1}"),)))
        # Idle from birth to end; what it serves lies over it.
        actors.append(_grown(born_s, dead_s, y, "idle"))
        for span in calls:
            if span.environment == number:
                if span.init_s > 0:
                    actors.append(_grown(span.queued_s, span.start_s, y, "cold"))
                actors.append(_grown(span.start_s, span.end_s, y, "busy"))
        if dead_s < LASTS_S:
            x = _x(dead_s)
            curves.append(Curve(((x, y - 3), (x, y + BAR + 3)), role="plain"))
            steps.append((dead_s, f"environment {number + 1} was idle for too long and ends"))
    for order, span in enumerate(calls):
        y = TOP + LANE * numbers.index(span.environment) + BAR / 2
        x = _x(span.queued_s)
        state = "failed" if span.init_s > 0 else "done"
        drops_s = span.queued_s + 0.008 * LASTS_S
        actors.append(
            Actor(
                (
                    Key(max(span.queued_s - 0.03 * LASTS_S, 0.0), x - 12, 26.0, "plain"),
                    Key(span.queued_s, x, 26.0, "plain"),
                    Key(drops_s, x, y, state),
                ),
                radius=4.5,
            )
        )
        kind = "cold" if span.init_s > 0 else "warm"
        where = f"environment {span.environment + 1}"
        steps.append((span.queued_s, f"call {order + 1} comes and goes to {where}, {kind}"))
    cold = [(0.0, "")]
    for i, span in enumerate(calls):
        so_far = sum(one.init_s > 0 for one in calls[: i + 1])
        cold.append((span.queued_s, f"{count(so_far)} of {count(i + 1)} calls cold"))
    words.append(Words(RIGHT, 12.0, tuple(cold), anchor="end", role="coupled"))
    clock = tuple((MINUTE_S * m, f"minute {m}") for m in range(int(LASTS_S / MINUTE_S) + 1))
    words.append(Words(LEFT, 12.0, clock))
    bottom = TOP + LANE * len(numbers) - 14
    shown, told_by = key_of((("busy", "serves"), ("idle", "idle, kept")), LEFT, bottom + 20)
    actors += shown
    words += told_by
    shown, told_by = key_of(
        (("failed", "cold call"), ("done", "warm call")), LEFT + 160, bottom + 20, bars=False
    )
    actors += shown
    words += told_by
    return Movie(
        "environments", height=bottom + 28, lasts_s=LASTS_S, still_s=LASTS_S, pace=60.0,
        actors=tuple(actors), words=tuple(words), curves=tuple(curves),
        steps=together(steps), head=(LEFT, RIGHT, 34.0, bottom),
    )  # fmt: skip


def _grown(from_s: float, to_s: float, y: float, state: str) -> Actor:
    """Return a bar of the lane; it appears when it begins, whole, and the present runs over it."""
    return Actor((Key(from_s, _x(from_s), y, state),), width=_x(to_s) - _x(from_s), height=BAR)
