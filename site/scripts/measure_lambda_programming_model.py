"""Count what environments share: ``make measure NAME=lambda_programming_model``.

Connections to a small server, secrets with and without a time to live, a cart that two tenants
share, calls that run together in one process. All of it is counts, with real processes. May
import: the standard library and `simulations`.
"""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from simulations.aws.runtime import LocalRuntime, Outcome

HANDLERS = Path(__file__).resolve().parents[2] / "book" / "lambda" / "handlers" / "sharing"
#: Twenty calls in groups that overlap, as in the chapter on anatomy.
WAVES = (1, 2, 1, 1, 3, 1, 2, 1, 3, 1, 1, 2, 1)
#: From one call of a group to the next, and what the server takes: all of a group overlap, and
#: end one after another, so that it is certain which environment was used last.
APART_S, ANSWER_S = 0.03, 0.12
TOGETHER = 8
TTLS_S = (60.0, 300.0, 1e9)
TICK_S, ROTATED_S, TICKS = 15.0, 600.0, 90


class Database(socketserver.ThreadingTCPServer):
    """A server that counts its connections, and may take only so many."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, most: int = 1000) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.most, self.opened, self.refused, self.peak = most, 0, 0, 0
        self.connections: list[socket.socket] = []
        self.guard = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.server_address[1]}"

    def hang_up(self) -> None:
        """Close every connection, as a database or a firewall does with idle ones."""
        with self.guard:
            for one in self.connections:
                one.shutdown(socket.SHUT_RDWR)
        while self.connections:
            time.sleep(0.005)

    def end(self) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()


class _Session(socketserver.StreamRequestHandler):
    server: Database

    def handle(self) -> None:
        with self.server.guard:
            if len(self.server.connections) >= self.server.most:
                self.server.refused += 1
                return
            self.server.opened += 1
            self.server.connections.append(self.request)
            self.server.peak = max(self.server.peak, len(self.server.connections))
        try:
            for line in self.rfile:
                time.sleep(ANSWER_S)
                self.wfile.write(line)
        except OSError:
            pass
        finally:
            with self.server.guard:
                self.server.connections.remove(self.request)


def waves(function: LocalRuntime, events: list[dict[str, Any]]) -> list[Outcome]:
    """Send the events in groups, the calls of a group one shortly after another."""
    outcomes: list[Outcome] = []
    rest = iter(events)
    for size in WAVES:
        sent: list[Future[Outcome]] = []
        for _ in range(size):
            sent.append(function.submit(next(rest)))
            time.sleep(APART_S)
        outcomes += [one.result() for one in sent]
    return outcomes


def connections(where: str, most: int = 1000) -> dict[str, Any]:
    """Twenty calls in three environments: how many connections, and what hanging up does."""
    database = Database(most)
    try:
        variables = {"DATABASE": database.address}
        items: list[dict[str, Any]] = [{"item": f"item-{n}"} for n in range(sum(WAVES))]
        with LocalRuntime(f"{where}.handle", task_root=HANDLERS, environment=variables) as function:
            outcomes = waves(function, items)
            time.sleep(0.05)
            idle = len(database.connections)
            found = {
                "environments": function.environments,
                "opened": database.opened,
                "peak": database.peak,
                "refused": database.refused,
                "failed": sum(one.error is not None for one in outcomes),
                "open_while_frozen": idle,
            }
            database.hang_up()
            after = waves(function, items)
            found["failed_after_hang_up"] = sum(one.error is not None for one in after)
            found["opened_after_hang_up"] = database.opened - found["opened"]
        return found
    finally:
        database.end()


def secrets(ttl_s: float) -> dict[str, Any]:
    """Three environments, each called every few seconds of a clock that the events carry."""
    stale, fetches = [], 0
    with LocalRuntime(
        "secret.handle", task_root=HANDLERS, environment={"TTL_S": str(ttl_s)}
    ) as function:
        for tick in range(TICKS):
            now_s = tick * TICK_S
            current = "new" if now_s >= ROTATED_S else "old"
            sent = []
            for number in range(3):
                # The second and third environment begin later, so their ages differ.
                if tick >= 3 * number:
                    sent.append(function.submit({"now_s": now_s, "current": current}))
            for one in sent:
                outcome = one.result()
                fetches += sum(line == "fetch" for line in outcome.log)
                if outcome.payload != current:
                    stale.append(now_s - ROTATED_S)
        made = function.environments
    after = sum(tick * TICK_S >= ROTATED_S for tick in range(TICKS))
    return {
        "ttl_s": ttl_s,
        "environments": made,
        "calls_after": 3 * after,
        "stale": len(stale),
        "last_stale_s": max(stale, default=None),
        "fetches": fetches,
    }


def leaks(handler: str) -> dict[str, int]:
    """Two tenants in turn: how many answers hold something of the other."""
    events: list[dict[str, Any]] = [
        {"tenant": "AB"[n % 2], "item": f"item-{n}"} for n in range(sum(WAVES))
    ]
    with LocalRuntime(f"cart.{handler}", task_root=HANDLERS) as function:
        outcomes = [function.invoke(event) for event in events]
    leaked = sum(
        any(tenant != event["tenant"] for tenant, _ in outcome.payload)
        for event, outcome in zip(events, outcomes, strict=True)
    )
    return {"calls": len(outcomes), "leaked": leaked}


def race() -> dict[str, int]:
    """The same eight calls together in one environment, and one each in eight."""
    found = {}
    for how in ("threads", "asyncio", "lock"):
        with LocalRuntime("race.handle", task_root=HANDLERS) as function:
            found[how] = function.invoke({"calls": TOGETHER, "how": how}).payload
    with LocalRuntime("race.handle", task_root=HANDLERS) as function:
        sent = [function.submit({"calls": 1, "how": "threads"}) for _ in range(TOGETHER)]
        found["environments"] = sum(one.result().payload for one in sent)
        found["made"] = function.environments
    return found


def measure() -> dict[str, Any]:
    """Count all of it."""
    return {
        "connections": {where: connections(where) for where in ("outside", "inside", "renewed")},
        "small_database": {"most": 2, **connections("outside", most=2)},
        "secrets": [secrets(ttl_s) for ttl_s in TTLS_S],
        "leaks": {name: leaks(name) for name in ("handle", "handle_mended")},
        "race": {"calls": TOGETHER, **race()},
    }
