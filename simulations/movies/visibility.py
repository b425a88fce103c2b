"""Messages of a queue: visible, in flight and unseen, back again, deleted or dead-lettered.

May import the rooms down to `experiment` and, of the movies, `simulations.movies`.
"""

from __future__ import annotations

from simulations.movies import Actor, Box, Key, Movie, Words, key_of, together
from simulations.services import Context, EventSourceMapping, Function, Queue
from simulations.services.handler import Steps
from simulations.services.provider import ProviderError
from simulations.simulation import Simulation
from simulations.workload import Recorded

SENT_S = (0.0, 1.0, 2.0, 3.0, 4.0)
VISIBILITY_S, RECEIVES, TAKES_S = 30.0, 3, 6.0
#: A message that can never be handled, and one whose first try fails.
POISON, UNLUCKY = 2, 4
TOP, ROW = 40.0, 20.0
AREAS = {"visible": (4.0, 104.0), "in flight, unseen": (128.0, 104.0), "deleted": (252.0, 104.0)}
DEAD_TOP = 178.0


def movie() -> Movie:
    """Five messages, one of which fails every time: three receives, then the dead-letter queue."""

    def handle(messages: list, context: Context) -> Steps:  # type: ignore[type-arg]
        yield context.wait(TAKES_S)
        message = messages[0]
        is_first = message.receive_count == 1
        if message.body == POISON or (message.body == UNLUCKY and is_first):
            raise ProviderError("not handled")

    sim = Simulation(seed=1)
    queue = Queue(sim, "emails", visibility_timeout_s=VISIBILITY_S, max_receive_count=RECEIVES)
    consumer = Function(sim, "SendEmail", handle, timeout_s=VISIBILITY_S)
    EventSourceMapping(sim, queue, consumer, batch_size=1, maximum_concurrency=2)
    trace = sim.run(Recorded(SENT_S) >> queue, duration_s=60.0)
    actors: list[Actor] = []
    steps: list[tuple[float, str]] = []
    lasts_s = 0.0
    centers = {name: x + width / 2 for name, (x, width) in AREAS.items()}
    for number in range(len(SENT_S)):
        y = TOP + ROW * number + 17
        spans = trace.of_request(number)
        tries = [s for s in spans if s.component == "SendEmail" and s.operation == "invoke"]
        end = next(s for s in spans if s.operation == "message")
        keys = [Key(SENT_S[number], centers["visible"], y, "visible")]
        steps.append((SENT_S[number], f"message {number + 1} is sent and visible"))
        for i, one in enumerate(tries):
            _go(keys, one.queued_s, centers["in flight, unseen"], y, "hidden")
            steps.append(
                (
                    one.queued_s,
                    f"message {number + 1} is received, the {_nth(i + 1)} time, and unseen",
                )
            )
            back_s = one.queued_s + VISIBILITY_S
            if one.outcome != "ok" and i + 1 < len(tries):
                keys.append(Key(one.end_s, centers["in flight, unseen"], y, "failed"))
                steps.append((one.end_s, f"message {number + 1}: its handler fails"))
                _go(keys, back_s, centers["visible"], y, "visible")
                steps.append((back_s, f"message {number + 1}: its time is up, it is visible again"))
            elif one.outcome != "ok":
                keys.append(Key(one.end_s, centers["in flight, unseen"], y, "failed"))
        if end.outcome == "ok":
            _go(keys, end.end_s, centers["deleted"], y, "done")
            steps.append((end.end_s, f"message {number + 1} is done and deleted"))
        else:
            _go(keys, end.end_s, centers["in flight, unseen"], DEAD_TOP + 17, "failed")
            steps.append((end.end_s, f"message {number + 1} goes to the dead-letter queue"))
        lasts_s = max(lasts_s, end.end_s)
        actors.append(Actor(tuple(keys), label=str(number + 1)))
    boxes = [Box(x, TOP, width, ROW * len(SENT_S) + 14, name, "decoupled")
             for name, (x, width) in AREAS.items()]  # fmt: skip
    x, width = AREAS["in flight, unseen"]
    boxes.append(Box(x, DEAD_TOP, width, 34.0, "dead-letter queue", "coupled"))
    lasts_s += 4.0
    shown, told_by = key_of(
        (("hidden", "being handled"), ("failed", "its handler failed")),
        4.0,
        DEAD_TOP + 54,
        bars=False,
    )
    actors += shown
    clock = tuple((float(s), f"{s} s") for s in range(int(lasts_s) + 1))
    return Movie(
        "visibility", height=DEAD_TOP + 62, lasts_s=lasts_s, still_s=20.0, pace=6.0,
        actors=tuple(actors), boxes=tuple(boxes), steps=together(steps),
        words=(Words(4.0, 12.0, clock), *told_by),
    )  # fmt: skip


def _go(keys: list[Key], at_s: float, x: float, y: float, state: str) -> None:
    """Let a message arrive somewhere at a moment, on its way for the second before."""
    last = keys[-1]
    leaves_s = max(at_s - 0.7, last.at_s)
    if leaves_s > last.at_s:
        keys.append(Key(leaves_s, last.x, last.y, last.state))
    keys.append(Key(max(at_s, last.at_s + 1e-3), x, y, state))


def _nth(number: int) -> str:
    return ("first", "second", "third")[number - 1]
