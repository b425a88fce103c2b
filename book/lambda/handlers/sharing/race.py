"""Calls that run together in one process share its variables; in two processes they do not."""

import asyncio
import threading
import time

taken = 0
lock = threading.Lock()


def take(seconds=0.2):
    """Read, do something, write: correct as long as nobody else runs in between."""
    global taken
    before = taken
    time.sleep(seconds)
    taken = before + 1


def take_locked():
    """Let nobody else in from the reading to the writing."""
    with lock:
        take(0.001)


async def take_awaiting():
    """Read, await, write: one thread is enough for the same mistake."""
    global taken
    before = taken
    await asyncio.sleep(0.2)
    taken = before + 1


async def gather(calls):
    """Run several calls on one event loop."""
    await asyncio.gather(*(take_awaiting() for _ in range(calls)))


def handle(event, context):
    """Serve so many calls together, as a runtime with several requests per environment does."""
    calls = event["calls"]
    if event["how"] == "asyncio":
        asyncio.run(gather(calls))
    else:
        work = take_locked if event["how"] == "lock" else take
        threads = [threading.Thread(target=work) for _ in range(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return taken
