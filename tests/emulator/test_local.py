"""The local services over a real connection, and our queue beside the emulator's, step by step."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from simulations import Function, Queue, Recorded, Simulation
from simulations.aws.local import client, local_services
from simulations.services.handler import Steps


@pytest.fixture(scope="module")
def sqs() -> Iterator[Any]:
    """A client of services that run for all of these tests."""
    with local_services():
        yield client("sqs")


def new_queue(sqs: Any, **attributes: object) -> str:
    made = sqs.create_queue(
        QueueName=f"q-{uuid4()}", Attributes={k: str(v) for k, v in attributes.items()}
    )
    return str(made["QueueUrl"])


def arn_of(sqs: Any, queue_url: str) -> str:
    found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


def receive(sqs: Any, queue_url: str) -> list[dict[str, Any]]:
    answer = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=["ApproximateReceiveCount"],
    )
    found: list[dict[str, Any]] = answer.get("Messages", [])
    return found


def bodies(sqs: Any, queue_url: str) -> list[str]:
    return sorted(message["Body"] for message in receive(sqs, queue_url))


# ------------------------------------------------------------------- what the services do


def test_a_message_returns_after_its_visibility_timeout_and_is_gone_once_deleted(sqs: Any) -> None:
    url = new_queue(sqs, VisibilityTimeout=1)
    sqs.send_message(QueueUrl=url, MessageBody="order 17")
    [first] = receive(sqs, url)
    assert receive(sqs, url) == []
    time.sleep(1.1)
    [again] = receive(sqs, url)
    assert (again["Body"], again["Attributes"]["ApproximateReceiveCount"]) == ("order 17", "2")
    assert again["ReceiptHandle"] != first["ReceiptHandle"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    time.sleep(1.1)
    assert receive(sqs, url) == []


def test_a_topic_copies_to_every_queue_that_subscribes_from_then_on(sqs: Any) -> None:
    sns, email, sms = client("sns"), new_queue(sqs), new_queue(sqs)
    topic = sns.create_topic(Name="order-confirmed")["TopicArn"]

    def subscribe(url: str) -> None:
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn_of(sqs, url),
            Attributes={"RawMessageDelivery": "true"},
        )

    subscribe(email)
    sns.publish(TopicArn=topic, Message="order 1")
    subscribe(sms)
    sns.publish(TopicArn=topic, Message="order 2")
    assert bodies(sqs, email) == ["order 1", "order 2"]
    assert bodies(sqs, sms) == ["order 2"]


def test_a_conditional_write_succeeds_once(sqs: Any) -> None:
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="charges",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def charge() -> None:
        dynamodb.put_item(
            TableName="charges",
            Item={"id": {"S": "order 17"}},
            ConditionExpression="attribute_not_exists(id)",
        )

    charge()
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        charge()


# ------------------------------------------------------------------- our queue beside theirs

#: Operations are due at multiples of TICK_S, so no visibility timeout of 1 s should end at one.
TICK_S, TICKS, VISIBILITY_S = 0.4, 9, 1
#: When all that was hidden or delayed has returned: one receive more settles what is dead.
LAST_TICK = TICKS + 4


@dataclass(frozen=True)
class Script:
    """What is done to one queue: a function of the tick alone, so that two queues can follow it.

    `send[tick]` bodies are sent, then `receive[tick]` says whether up to ten are received; those
    that succeed are deleted one tick later, while they are hidden.
    """

    max_receive_count: int | None
    delay_s: int
    send: dict[int, list[str]]
    receive: set[int]
    #: At which receive the consumer succeeds with a body; 9 for poison.
    succeeds: dict[str, int]


def scripts() -> list[Script]:
    """One written by hand, then random ones."""
    written = Script(
        max_receive_count=2,
        delay_s=0,
        send={0: ["good", "slow", "poison"]},
        receive={LAST_TICK, *range(TICKS)},
        succeeds={"good": 1, "slow": 2, "poison": 9},
    )
    random = Random(2)
    found = [written]
    for limit, delay_s in ((1, 0), (2, 1), (3, 0), (None, 1)):
        names = [f"m{i}" for i in range(8)]
        send: dict[int, list[str]] = {}
        for name in names:
            send.setdefault(random.randrange(TICKS - 3), []).append(name)
        found.append(
            Script(
                limit,
                delay_s,
                send,
                {LAST_TICK, *(tick for tick in range(TICKS) if random.random() < 0.7)},
                {name: random.choice((1, 1, 2, 3, 9)) for name in names},
            )
        )
    return found


@dataclass
class Seen:
    """What a consumer saw: by tick the bodies with their receive counts; the dead at the end."""

    received: list[tuple[int, list[tuple[str, int]]]] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)


class AtTheEmulator:
    """A script followed with an emulated queue, and when each tick began and ended."""

    def __init__(self, sqs: Any, script: Script) -> None:
        self.sqs, self.script = sqs, script
        self.seen = Seen()
        self.times_s: list[tuple[float, float]] = []
        self._to_delete: list[dict[str, Any]] = []
        self._grave = new_queue(sqs)
        attributes: dict[str, object] = {
            "VisibilityTimeout": VISIBILITY_S,
            "DelaySeconds": script.delay_s,
        }
        if script.max_receive_count is not None:
            target = {
                "deadLetterTargetArn": arn_of(sqs, self._grave),
                "maxReceiveCount": script.max_receive_count,
            }
            attributes["RedrivePolicy"] = json.dumps(target)
        self._url = new_queue(sqs, **attributes)

    def tick(self, tick: int) -> None:
        began_s = time.monotonic()
        for message in self._to_delete:
            self.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        self._to_delete = []
        for body in self.script.send.get(tick, []):
            self.sqs.send_message(QueueUrl=self._url, MessageBody=body)
        if tick in self.script.receive:
            found = receive(self.sqs, self._url)
            counts = [int(m["Attributes"]["ApproximateReceiveCount"]) for m in found]
            pairs = zip((m["Body"] for m in found), counts, strict=True)
            self.seen.received.append((tick, sorted(pairs)))
            self._to_delete = [
                m
                for m, count in zip(found, counts, strict=True)
                if count >= self.script.succeeds[m["Body"]]
            ]
        self.times_s.append((began_s, time.monotonic()))
        if tick == LAST_TICK:
            self.seen.dead = bodies(self.sqs, self._grave)

    @property
    def is_clear(self) -> bool:
        """Whether no timeout ended while the emulator was being asked: before or after is known."""
        for i, (began_s, ended_s) in enumerate(self.times_s):
            low_s, high_s = began_s + VISIBILITY_S - 0.005, ended_s + VISIBILITY_S + 0.005
            if any(low_s <= e and b <= high_s for b, e in self.times_s[i + 1 :]):
                return False
        return True


def in_the_simulation(script: Script, times_s: list[float]) -> Seen:
    """Follow a script with our queue, at the times at which the emulator was asked."""
    sim = Simulation(seed=1)
    queue = Queue(
        sim,
        "queue",
        visibility_timeout_s=VISIBILITY_S,
        max_receive_count=script.max_receive_count,
        delay_s=script.delay_s,
    )
    seen = Seen()

    def follow(_: object, context: Any) -> Steps:
        to_delete: list[Any] = []
        for tick, at_s in enumerate(times_s):
            yield context.wait(at_s - sim.now_s)
            queue.delete(to_delete)
            to_delete = []
            for body in script.send.get(tick, []):
                yield queue.send(body)
            if tick in script.receive:
                found = queue.receive(10)
                seen.received.append((tick, sorted((m.body, m.receive_count) for m in found)))
                to_delete = [m for m in found if m.receive_count >= script.succeeds[m.body]]
        seen.dead = sorted(message.body for message in queue.dead_letters)

    sim.run(Recorded((0.0,)) >> Function(sim, "follow", follow, timeout_s=900), duration_s=1.0)
    assert queue.conserved
    return seen


def test_our_queue_agrees_with_the_emulator_message_by_message(sqs: Any) -> None:
    """Who is received at each tick, with which receive count, and who ends in the dead letters."""
    left = scripts()
    counts = []
    for _ in range(3):  # a busy machine may blur before and after: such a script is run again
        theirs = [AtTheEmulator(sqs, script) for script in left]
        start_s = time.monotonic()
        for tick in range(LAST_TICK + 1):
            time.sleep(max(0.0, start_s + tick * TICK_S - time.monotonic()))
            for emulated in theirs:
                emulated.tick(tick)
        for emulated in theirs:
            if emulated.is_clear:
                times_s = [
                    (began_s + ended_s) / 2 - start_s for began_s, ended_s in emulated.times_s
                ]
                assert in_the_simulation(emulated.script, times_s) == emulated.seen
                counts += [n for _, found in emulated.seen.received for _, n in found]
        left = [emulated.script for emulated in theirs if not emulated.is_clear]
        if not left:
            break
    assert not left, "this machine is too busy to tell before from after"
    assert max(counts) >= 3 and len(counts) > 50, "the scripts are too tame"
