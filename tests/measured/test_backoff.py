"""The back-offs against the AWS Architecture Blog's simulator: calls and time of 100 clients."""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import mean

import pytest

from simulations.experiments.contention import BACKOFFS, PUBLISHED, contend


@pytest.mark.parametrize("algorithm", list(BACKOFFS))
def test_a_hundred_clients_contend_as_published(algorithm: str) -> None:
    found = [contend(algorithm, 100, seed) for seed in range(40)]
    calls, time_ms = PUBLISHED[algorithm]
    assert mean(one[0] for one in found) == pytest.approx(calls, rel=0.03)
    assert mean(one[1] for one in found) * 1000 == pytest.approx(time_ms, rel=0.05)


def test_the_numbers_held_against_are_those_of_the_published_table(shared: Path) -> None:
    with (shared / "published" / "occ_backoff_100reps.csv").open() as file:
        rows = {r["algorithm"]: r for r in csv.DictReader(file) if r["clients"] == "100"}
    for algorithm, (calls, time_ms) in PUBLISHED.items():
        assert round(float(rows[algorithm]["mean_calls"])) == calls
        assert round(float(rows[algorithm]["mean_time_ms"])) == time_ms
