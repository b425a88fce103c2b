"""The decision table: limits before money, borders where two costs are equal, every rule in use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulations.experiments.lambda_pros_cons import MONTH_S
from simulations.experiments.lambda_use_cases import (
    MATTERS_USD,
    WORKLOADS,
    Workload,
    clear_rate_per_s,
    decide,
    decision_map,
    job_usd,
    pays_above,
    provisioned_usd,
)
from simulations.facts import fact


def test_no_money_changes_a_limit() -> None:
    """The cheapest workload there is, pushed over each limit in turn."""
    small = Workload("small", 0.1, 1e-4)
    assert decide(small).form == "function"
    timeout = fact("lambda.timeout")["max_s"]
    for change, form in (
        ({"needs_gpu": True}, "GPU instance"),
        ({"memory_mb": fact("lambda.memory")["max_mb"] + 1}, "container"),
        ({"duration_s": timeout + 1.0}, "container job"),
        ({"duration_s": timeout + 1.0, "waits": True}, "durable function"),
        ({"pushes": True}, "WebSocket API"),
        ({"payload_mb": fact("lambda.payload")["sync_mb"] + 0.1}, "function, by reference"),
    ):
        assert decide(replace(small, **change)).form == form, change


def test_a_provisioned_environment_pays_when_busy_three_fifths_of_the_time() -> None:
    """4.1667 over 16.6667 less 9.7222: standing, over what running saves."""
    assert pays_above() == pytest.approx(4.1667 / (16.6667 - 9.7222), rel=1e-3)
    one = Workload("steady", 1.0, 500.0, peak_to_mean=1.0)
    bare = replace(one.service, front_door="function URL").lambda_usd(one.rate_per_s)
    door = one.service.lambda_usd(one.rate_per_s) - bare
    assert provisioned_usd(one) - door < bare  # 500 in flight on little more: busy above 90 %
    spiky = replace(one, peak_to_mean=2.0)
    assert provisioned_usd(spiky) - door > bare  # busy below 50 %


def test_on_the_border_a_request_costs_the_same_on_both_sides() -> None:
    crossing = decision_map()["crossing at 1 s"] / MONTH_S
    one = Workload("", 1.0, crossing)
    assert one.service.lambda_usd(crossing) == pytest.approx(
        one.service.fargate_usd(crossing), rel=1e-3
    )
    clear = clear_rate_per_s(one.service)
    assert one.service.cold_share(clear) == pytest.approx(0.01, rel=0.02)


def test_a_saving_that_is_smaller_than_the_thought_decides_nothing() -> None:
    nightly = next(one for one in WORKLOADS if one.name == "nightly report")
    form, servers = job_usd(nightly)
    bare = replace(nightly.service, front_door="function URL").lambda_usd(nightly.rate_per_s)
    assert form == "container job"
    assert 0 < bare - servers < MATTERS_USD
    assert decide(nightly).form == "function"


def test_a_promise_decides_between_on_demand_and_always_on() -> None:
    rare = Workload("rare", 0.1, 60 / 3600, p99_s=0.3)
    assert decide(rare).form == "provisioned"
    assert decide(replace(rare, p99_s=1.0)).form == "function"
    assert decide(replace(rare, p99_s=0.1)).form == "shorten it first"


def test_every_form_and_rule_has_an_example() -> None:
    found = [decide(one) for one in WORKLOADS]
    assert len(found) >= 20
    assert {"function", "provisioned", "container", "container job", "durable function",
            "WebSocket API", "function, by reference", "GPU instance"} == {v.form for v in found}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [{"duration_s": 0.0}, {"rate_per_s": -1.0}, {"peak_to_mean": 0.5}, {"cpu_share": 1.5}, {"kind": "batch"}],
)  # fmt: skip
def test_an_impossible_workload_is_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Workload(**{"name": "w", "duration_s": 1.0, "rate_per_s": 1.0} | wrong)  # type: ignore[arg-type]
