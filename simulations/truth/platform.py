"""Trust rows of the platform model: environments, cold starts and a lost zone against theory.

May import every room but the figures.
"""

from __future__ import annotations

import math

from simulations.experiments.platform import Platform, Tenant
from simulations.experiments.what_is_lambda import in_theory, tenants_2019
from simulations.stats import Interval, mean_interval, share_interval
from simulations.theory import best_keep_alive_s, keeping_cost_s
from simulations.truth import Compared, row

_RUNS = 8


def _crowd(seed: int) -> tuple[float, int, int]:
    """Mean environments, cold starts and requests of one simulated half hour."""
    platform = Platform(tenants_2019(60), keep_alive_s=80.0, start_s=0.0, seed=seed)
    counts = platform.run(2400.0, warmup_s=80.0)
    return counts.environments / 2400, counts.cold, counts.requests


@row(
    "platform-environments",
    kind="verification",
    what="Mean environments of sixty functions with Azure's call rates, kept for 80 s",
    source="Little's law with E[min(gap, T)] (renewal reward)",
    chapter="what-is-lambda",
    margin=0.06,
    unit="environments",
)
def platform_environments() -> Compared:
    """Environments on the workers, integrated over time, against theory."""
    found = mean_interval([_crowd(seed)[0] for seed in range(_RUNS)])
    return Compared(found, in_theory(tenants_2019(60), 80.0).environments)


@row(
    "platform-cold",
    kind="verification",
    what="Cold share of the calls of sixty functions with Azure's call rates, kept for 80 s",
    source="sum over functions of the overflow formula (Erlang B, exp(-rate · keep-alive))",
    chapter="what-is-lambda",
    margin=0.08,
    unit="%",
)
def platform_cold() -> Compared:
    """Requests that found nothing idle, against theory."""
    found = [_crowd(seed) for seed in range(_RUNS)]
    share = share_interval(sum(f[1] for f in found), sum(f[2] for f in found))
    theory = in_theory(tenants_2019(60), 80.0).cold_calls
    return Compared(Interval(*(100 * value for value in share)), 100 * theory)


@row(
    "zone-lost",
    kind="verification",
    what="Cold share in the half minute after one of three zones is lost (a call a minute each)",
    source="(1 - exp(-x)) / (3 x) for x calls in that time (closed form)",
    chapter="what-is-lambda",
    margin=0.15,
    unit="%",
)
def zone_is_lost() -> Compared:
    """Environments gone with their zone, against the share of first calls that miss them."""
    at_s, cold, calls = 420.0, 0, 0
    for seed in range(8):
        crowd = [Tenant(1 / 60, 128, 0.01)] * 300
        # Kept for ever, so that nothing else is cold.
        platform = Platform(crowd, keep_alive_s=1e6, start_s=0.0, lost_zone_at_s=at_s, seed=seed)
        after = [is_cold for s, is_cold in platform.run(at_s + 30).calls if s > at_s]
        cold, calls = cold + sum(after), calls + len(after)
    x = 0.5
    share = share_interval(cold, calls)
    theory = 100 * -math.expm1(-x) / (3 * x)
    return Compared(Interval(*(100 * value for value in share)), theory)


@row(
    "best-keep-alive",
    kind="verification",
    what="Keep-alive of least cost for two kinds of functions, a cold start worth 952 s",
    source="the least of the cost itself, by search",
    chapter="what-is-lambda",
    margin=0.01,
    unit="s",
)
def best_keep_alive() -> Compared:
    """The condition on the hazard rate, against a search for the least cost."""
    crowd = [(9.0, 1 / 6000), (1.0, 1 / 60)]
    least = min(range(1, 2000), key=lambda t: keeping_cost_s(crowd, float(t), 952.0))
    ours = best_keep_alive_s(crowd, 952.0)
    return Compared(Interval(ours, ours, ours), float(least))
