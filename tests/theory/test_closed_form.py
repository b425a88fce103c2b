"""Every formula of the shared list of closed forms, at its worked number (30-digit arithmetic).

The entries are read from the file, so that a new one without a check here fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulations import theory

Entry = dict[str, Any]
CHECKS: dict[str, Callable[[Entry, Entry], None]] = {}


def check(entry: str) -> Callable[[Callable[[Entry, Entry], None]], None]:
    """Register the check of one entry; it gets the parameters and the expected values."""

    def register(function: Callable[[Entry, Entry], None]) -> None:
        CHECKS[entry] = function

    return register


def printed(value: float, digits: int = 8) -> Any:
    """The published value, which carries `digits` significant digits."""
    return pytest.approx(value, rel=10.0 ** (1 - digits))


@pytest.fixture(scope="module")
def entries(shared: Path) -> dict[str, Entry]:
    text = (shared.parent / "closed_form.yaml").read_text(encoding="utf-8")
    return {entry["id"]: entry for entry in yaml.safe_load(text)["entries"]}


def test_every_closed_form_is_checked_here(entries: dict[str, Entry]) -> None:
    assert set(entries) == set(CHECKS)


@check("little")
def _(p: Entry, v: Entry) -> None:
    assert theory.little(p["rate_per_s"], p["mean_duration_s"]) == printed(v["L"])


@check("mm1")
def _(p: Entry, v: Entry) -> None:
    queue = theory.mm1(p["lam"], p["mu"])
    assert queue.utilization == printed(v["rho"])
    assert queue.p_wait == printed(v["rho"])
    assert queue.in_system == printed(v["L"])
    assert queue.waiting == printed(v["Lq"])
    assert queue.response_s == printed(v["W"])
    assert queue.wait_s == printed(v["Wq"])
    assert theory.mm1_response_quantile(p["lam"], p["mu"], 0.5) == printed(v["p50"])
    assert theory.mm1_response_quantile(p["lam"], p["mu"], 0.99) == printed(v["p99"])


@check("erlang_b")
def _(p: Entry, v: Entry) -> None:
    assert theory.erlang_b(p["a"], p["c"]) == printed(v["B"])
    assert theory.erlang_b(p["a"], 12) == printed(v["B_c12"])
    assert theory.erlang_b(p["a"], 15) == printed(v["B_c15"])
    assert p["a"] * (1 - theory.erlang_b(p["a"], 10)) == printed(v["carried_c10"])


@check("mg1_pk")
def _(p: Entry, v: Entry) -> None:
    expected = [v["Wq_det"], v["Wq_exp"], v["Wq_lognormal_cv2_4"]]
    for cv2, wait in zip(p["cv2"], expected, strict=True):
        assert theory.mg1_wait(p["rho"] / p["ES"], p["ES"], cv2) == printed(wait)


@check("mginf")
def _(p: Entry, v: Entry) -> None:
    busy = theory.mginf(p["lam"], p["ES"])
    assert busy.mean == printed(v["mean"])
    assert busy.sd == printed(v["sd"])
    assert busy.quantile(0.99) == v["p99"]
    assert busy.quantile(0.999) == v["p999"]
    assert busy.tail(40) == printed(v["P_gt_40"])


@check("keepalive_poisson_single")
def _(p: Entry, v: Entry) -> None:
    for rate, cold in zip(p["lam_per_s"], v["P_cold"], strict=True):
        assert theory.cold_probability(rate, p["T_s"]) == printed(cold, 7)


@check("keepalive_idle_memory")
def _(p: Entry, v: Entry) -> None:
    rate = 1 / 600
    assert theory.idle_s_per_request(rate, p["T_s"]) == printed(v["idle_s_per_invocation"])
    assert theory.warm_share_of_time(rate, p["T_s"]) == printed(v["fraction_of_time_warm"])
    # With requests of no duration, what is warm is idle: the mean number alive says the same.
    assert theory.mean_environments(rate, p["T_s"]) == printed(v["fraction_of_time_warm"])


@check("keepalive_renewal")
def _(p: Entry, v: Entry) -> None:
    mean = p["mean_IAT_s"]
    families = {
        "det_599": partial(theory.constant_gap_survival, mean_s=599),
        "det_601": partial(theory.constant_gap_survival, mean_s=601),
        "exponential": partial(theory.exponential_gap_survival, mean_s=mean),
        "gamma_cv2": partial(theory.gamma_gap_survival, mean_s=mean, cv=2),
        "lognormal_cv2": partial(theory.lognormal_gap_survival, mean_s=mean, cv=2),
        "hyperexp": partial(
            theory.hyperexponential_gap_survival, shares=(0.9, 0.1), means_s=(200, 4200)
        ),
    }
    assert set(families) == set(v)
    for name, survival in families.items():
        assert theory.cold_probability_renewal(survival, p["T_s"]) == printed(v[name]), name


@check("ttl_cache")
def _(p: Entry, v: Entry) -> None:
    assert theory.ttl_hit_share(p["lam"], p["T"], reset_on_use=False) == printed(v["non_reset"])
    assert theory.ttl_hit_share(p["lam"], p["T"], reset_on_use=True) == printed(v["reset"])


@check("keepalive_decay")
def _(p: Entry, v: Entry) -> None:
    left = [theory.halved_environments(p["D"], t, period_s=380) for t in p["t_s"]]
    assert left == v["warm"]


@check("retry_n")
def _(p: Entry, v: Entry) -> None:
    attempts = p["N"] + 1
    for x, fail, calls in zip(p["x"], v["P_fail"], v["amplification"], strict=True):
        assert theory.retry_failure(x, attempts) == printed(fail)
        assert theory.retry_load(x, attempts) == printed(calls, 7)


@check("retry_layers")
def _(p: Entry, v: Entry) -> None:
    assert theory.retry_layers(p["attempts"], p["layers"]) == v["amplification"]


@check("retry_token_bucket")
def _(p: Entry, v: Entry) -> None:
    budget = theory.retry_budget(p["x"], p["f"])
    assert budget.extra_load == printed(v["max_extra_load"])
    assert budget.success == printed(v["success_approx"])


@check("fanout_tail")
def _(p: Entry, v: Entry) -> None:
    assert theory.fanout_slow(p["p"][0], p["n"][0]) == printed(v["p01_n100"])
    assert theory.fanout_slow(p["p"][1], p["n"][1]) == printed(v["p0001_n2000"])


@check("hedge")
def _(p: Entry, v: Entry) -> None:
    q = p["q"]
    assert theory.hedge_extra_load(q) == printed(v["extra_load"])
    survival = partial(theory.exponential_gap_survival, mean_s=1.0)
    t_q = -math.log(1 - q)
    for t in (t_q, 3.5, 5, 9):
        slow = theory.hedged_tail(survival, t, t_q)
        assert slow <= (1 - q) * survival(t - t_q) * (1 + 1e-12)


@check("occ_lockstep")
def _(p: Entry, v: Entry) -> None:
    assert theory.lockstep_calls(p["N"]) == v["calls"]


@check("esm_ramp_2023")
def _(p: Entry, v: Entry) -> None:
    for service_s, minutes in zip(p["S_s"], v["t_min"], strict=True):
        seconds = theory.ramp_drain_s(
            p["N"], service_s, start=p["c0"], ramp_per_s=p["r_per_s"], cap=p["cap"]
        )
        assert seconds / 60 == printed(minutes)


@check("sync_scaling")
def _(p: Entry, v: Entry) -> None:
    assert [theory.scaling_limit(t) for t in p["t_s"]] == v["C"]


@check("backlog")
def _(p: Entry, v: Entry) -> None:
    assert theory.drain_s(p["B"], p["c_mu"], p["lam"]) == v["t_s"]
    assert theory.backlog(p["lam"], 3600) == p["B"]


@check("token_bucket")
def _(p: Entry, v: Entry) -> None:
    assert [theory.bucket_empty_s(x, p["R"]) for x in p["x"]] == v["t_s"]


@check("cfs_bandwidth")
def _(p: Entry, v: Entry) -> None:
    cpu_ms, period = p["C_ms"], p["P_ms"]
    for mb, quota, plain in zip(p["mem_mb"], v["T_ms"], v["proportional_ms"], strict=True):
        assert theory.quota_ms(cpu_ms, mb, period_ms=period) == printed(quota)
        assert theory.proportional_ms(cpu_ms, mb) == printed(plain, 7)
    for mb, published in v["random_phase_mean_ms"].items():
        # The published means were drawn at random and rounded to 0.1 ms; ours are exact.
        ours = theory.quota_mean_ms(cpu_ms, float(mb), period_ms=period)
        assert ours == pytest.approx(published, rel=0.005)
        assert ours == pytest.approx(v["measured_mean_ms"][mb], rel=0.115)


@check("cost_power")
def _(p: Entry, v: Entry) -> None:
    for (mb, seconds), usd in zip(p["rows"], v["cost"], strict=True):
        cost = theory.compute_cost_usd(
            mb, seconds, usd_per_gb_s=0.0000166667, usd_per_request=0.0000002, requests=1000
        )
        assert cost == printed(usd)


@check("lognormal_azure")
def _(p: Entry, v: Entry) -> None:
    shape = theory.LognormalShape(p["mu"], p["sigma"])
    assert shape.median == printed(v["median"])
    assert shape.mean == printed(v["mean"])
    assert shape.share_below(0.1) == printed(v["P_lt_100ms"], 6)
    assert shape.share_below(1) == printed(v["P_lt_1s"])
    assert 1 - shape.share_below(60) == printed(v["P_gt_60s"])


@check("burr_azure")
def _(p: Entry, v: Entry) -> None:
    at = partial(theory.burr_quantile, c=p["c"], k=p["k"], scale=p["lam"])
    assert [at(0.1), at(0.5), at(0.9)] == [printed(v[name]) for name in ("p10", "p50", "p90")]


@check("huawei_fits")
def _(p: Entry, v: Entry) -> None:
    cold = theory.lognormal_from_moments(p["mean"], p["sd"])
    assert cold.mu == printed(v["mu"])
    assert cold.sigma == printed(v["sigma"])
    assert cold.median == printed(v["median"])
    assert cold.quantile(0.9) == printed(v["p90"])
    assert cold.quantile(0.99) == printed(v["p99"])
    gaps = theory.weibull_from_moments(p["wmean"], p["wsd"])
    assert gaps.shape == printed(v["weibull_k"])
    assert gaps.scale == printed(v["weibull_scale"])
    assert gaps.quantile(0.5) == printed(v["weibull_median"])


@check("erlang_c_example")
def _(p: Entry, v: Entry) -> None:
    queue = theory.mmc(p["lam"], p["mu"], p["c"])
    assert queue.p_wait == printed(v["P_wait"])
    assert queue.wait_s == printed(v["Wq"])
    assert theory.erlang_c(p["lam"] / p["mu"], p["c"]) == printed(v["P_wait"])
    assert theory.mmc_wait_tail(p["lam"], p["mu"], p["c"], 0) == printed(v["P_wait"])


@check("restart_chain")
def _(p: Entry, v: Entry) -> None:
    assert theory.restart_chain(p["p"]).p_double_charge == printed(v["phi_0"])
    chain = theory.restart_chain(p["p"], p["phi"])
    assert chain.p_double_charge == printed(v["phi_half"], 7)
    assert chain.attempts == printed(v["attempts"])


@check("cold_overflow")
def _(p: Entry, v: Entry) -> None:
    rate = p["rate_per_h"] / 3600
    assert theory.cold_probability(rate, p["T_s"], p["duration_s"]) == printed(v["P_cold"], 5)


@pytest.mark.parametrize("entry", sorted(CHECKS))
def test_worked_number(entry: str, entries: dict[str, Entry]) -> None:
    CHECKS[entry](entries[entry]["example_params"], entries[entry]["example_values"])
