"""Sweeps: the table depends on what is asked, never on who runs it, and no finished run is lost."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from simulations import sweep
from simulations.experiment import Axis, Experiment, Number, Result, experiment
from simulations.experiments.measure_first import pairing
from simulations.sweep import Precision, RunFailed, WorkersLost
from simulations.sweep.plan import plan_of
from simulations.sweep.sources import Changed, digest, sources

TRIALS = '''
"""Experiments for the tests of sweeps."""
import os, time
from random import Random
from typing import Annotated
from sweep_helper import FACTOR
from simulations.experiment import Axis, Choice, Number, Result, Slider, experiment

def note(text):
    with open(os.environ["SWEEP_NOTES"], "a") as file:
        file.write(text + "\\n")

def answer(**numbers):
    return Result(Axis("x"), Axis("y"), numbers={k: Number(v, "s") for k, v in numbers.items()})

@experiment("trial")
def noise(
    a: Annotated[float, Slider(0, 10)] = 1.0,
    kind: Annotated[str, Choice(("plain", "squared"))] = "plain",
    wait_s: float = 0.0,
    seed: int = 1,
):
    """A mean of `a`, with noise that depends on the seed alone."""
    note(f"{a} {kind} {seed} {os.getpid()}")
    time.sleep(wait_s)
    z = Random(seed).gauss(0, 1)
    return answer(value=FACTOR * a + (z * z if kind == "squared" else z))

@experiment("trial")
def murdered(a: float = 1.0, flag: str = "", seed: int = 1):
    """Kills its own process, the first time with a flag or always without one."""
    note(f"{a} {seed}")
    if a == 3.0 and not (flag and os.path.exists(flag)):
        if flag:
            open(flag, "w").close()
        os.kill(os.getpid(), 9)
    return answer(value=a)

@experiment("trial")
def broken(a: float = 1.0, seed: int = 1):
    """Fails at one point."""
    note(f"{a} {seed}")
    if a == 2.0:
        raise RuntimeError("the till is empty")
    return answer(value=a)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder with modules of experiments that workers can import."""
    (tmp_path / "sweep_trials.py").write_text(TRIALS)
    (tmp_path / "sweep_helper.py").write_text("FACTOR = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("SWEEP_NOTES", str(tmp_path / "notes"))
    monkeypatch.setenv("SBE_CACHE", str(tmp_path / "cache"))
    root = Path(__file__).resolve().parents[2]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), str(root))))
    monkeypatch.setattr(sys.modules["simulations.sweep.sources"], "_first_seen", {})
    yield tmp_path
    for name in ("sweep_trials", "sweep_helper"):
        sys.modules.pop(name, None)


def trial(name: str) -> Experiment:
    import importlib

    found: Experiment = getattr(importlib.import_module("sweep_trials"), name)
    return found


def notes(folder: Path) -> list[str]:
    file = folder / "notes"
    return file.read_text().splitlines() if file.exists() else []


class Reversed(Executor):
    """Runs in this process, the last given first: the least orderly executor there is."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Any]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: fn(*args, **kwargs)))
        if len(self.waiting) == 4:
            for one, call in reversed(self.waiting):
                one.set_result(call())
            self.waiting.clear()
        return future


GRID: dict[str, list[Any]] = {"a": [1.0, 4.0], "kind": ["plain", "squared"]}


# ---------------------------------------------------------------- what is found


def test_means_and_intervals_are_those_of_the_runs_and_hold_the_truth(folder: Path) -> None:
    found = sweep(trial("noise"), GRID, 40, ThreadPoolExecutor(1), quiet=True)
    assert found["a"] == [1.0, 1.0, 4.0, 4.0]
    assert found["kind"] == ["plain", "squared"] * 2
    assert found["replications"] == [40] * 4 and found.ran == 160
    assert found.units == {"value": "s"}
    for truth, low, high in zip((1, 2, 4, 5), found["value low"], found["value high"], strict=True):
        assert low < truth < high
    first = found.runs["value"][:40]
    assert found["value"][0] == pytest.approx(math.fsum(first) / 40, abs=1e-12)
    assert found.to_pandas().loc[2, "value"] == found["value"][2]


def test_every_point_meets_the_same_random_numbers(folder: Path) -> None:
    found = sweep(trial("noise"), {"a": [1.0, 4.0]}, 5, ThreadPoolExecutor(1), quiet=True)
    seeds = found.runs["seed"]
    assert seeds[:5] == seeds[5:] and len(set(seeds)) == 5
    assert all(0 <= seed < 2**53 for seed in seeds)
    apart = found.difference("value", {"a": 4.0}, {"a": 1.0})
    # The noise is common, so it is gone from the difference though each mean has it.
    assert apart.mean == pytest.approx(3) and apart.half_width < 1e-9
    assert found["value high"][0] - found["value low"][0] > 0.1
    other = sweep(trial("noise"), {"a": [1.0]}, 5, ThreadPoolExecutor(1), seed=2, quiet=True)
    assert not set(other.runs["seed"]) & set(seeds)


def test_runs_are_added_until_the_interval_is_short_enough_and_no_longer(folder: Path) -> None:
    wanted = Precision("value", 0.3)
    found = sweep(trial("noise"), GRID, 10, ThreadPoolExecutor(1), precision=wanted, quiet=True)
    counts = found["replications"]
    assert counts[0] == counts[2] < counts[1] == counts[3]  # squared noise varies more
    for k, count in enumerate(counts):
        assert found["value high"][k] - found["value low"][k] <= 0.6
        values = [v for v, at in zip(found.runs["value"], _points(found), strict=True) if at == k]
        assert len(values) == count
        if count > 10:
            from simulations.stats import mean_interval

            assert mean_interval(values[:-1]).half_width > 0.3, "one run fewer would have done"
    given_up = sweep(
        trial("noise"), {"a": [1.0]}, 10, ThreadPoolExecutor(1), quiet=True,
        precision=Precision("value", 1e-6, at_most=15),
    )  # fmt: skip
    assert given_up["replications"] == [15]


def _points(found: Any) -> list[int]:
    return [k for k, count in enumerate(found["replications"]) for _ in range(count)]


def test_the_experiment_that_the_page_shows_can_be_swept(folder: Path, root: Path) -> None:
    page = (root / "book" / "reference" / "how-to-sweep.md").read_text(encoding="utf-8")
    code = page.split("```python\n# my_experiments.py\n")[1].split("```")[0]
    (folder / "sweep_trials.py").write_text(code)
    found = sweep(
        trial("cold"), {"rate_per_h": [10.0, 100.0]}, 2, ThreadPoolExecutor(1), quiet=True
    )
    assert found["cold share"][0] > found["cold share"][1] > 0


def test_one_replication_has_no_interval(folder: Path) -> None:
    found = sweep(trial("noise"), {"a": [1.0]}, 1, ThreadPoolExecutor(1), quiet=True)
    assert math.isfinite(found["value"][0]) and math.isnan(found["value low"][0])


# ---------------------------------------------------------------- who runs it


def test_the_table_does_not_depend_on_the_workers(folder: Path) -> None:
    """Processes (one, two, four), threads, and an executor that runs backward, to the last bit."""
    wanted = Precision("value", 0.4)

    def table(executor: Executor) -> dict[str, list[Any]]:
        found = sweep(trial("noise"), GRID, 6, executor, precision=wanted, cache=None, quiet=True)
        return {**found.columns, **found.runs.columns}

    expected = table(ThreadPoolExecutor(1))
    assert table(ThreadPoolExecutor(3)) == expected
    for processes in (1, 2, 4):
        with ProcessPoolExecutor(processes) as pool:
            assert table(pool) == expected
    backward = sweep(trial("noise"), GRID, 6, Reversed(), cache=None, quiet=True)
    plain = sweep(trial("noise"), GRID, 6, ThreadPoolExecutor(1), cache=None, quiet=True)
    assert backward.columns == plain.columns and backward.runs.columns == plain.runs.columns
    pids = {line.split()[-1] for line in notes(folder)}
    assert len(pids) >= 1 + 1 + 2 + 2, "several processes really worked"


def test_two_machines_of_a_dask_cluster_find_the_same(folder: Path) -> None:
    """A real scheduler and two worker processes, through `Client.get_executor()`."""
    from distributed import Client, LocalCluster

    start: Any = LocalCluster  # untyped
    connect: Any = Client

    with start(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
    ) as cluster, connect(cluster) as client:  # fmt: skip
        there = sweep(
            trial("noise"),
            {**GRID, "wait_s": [0.01]},
            5,
            client.get_executor(),
            cache=None,
            quiet=True,
        )
        workers = {str(info["pid"]) for info in client.run(lambda: {"pid": os.getpid()}).values()}
    used = {line.split()[-1] for line in notes(folder)}
    assert used == workers and len(used) == 2, "both workers worked, and nobody else"
    here = sweep(
        trial("noise"), {**GRID, "wait_s": [0.01]}, 5, ThreadPoolExecutor(1), cache=None, quiet=True
    )
    assert there.columns == here.columns and there.runs.columns == here.runs.columns


# ---------------------------------------------------------------- what is kept


def test_what_is_kept_is_not_run_again(folder: Path) -> None:
    first = sweep(trial("noise"), GRID, 3, ThreadPoolExecutor(1), quiet=True)
    assert (first.ran, first.reused, len(notes(folder))) == (12, 0, 12)
    again = sweep(trial("noise"), GRID, 3, ThreadPoolExecutor(1), quiet=True)
    assert (again.ran, again.reused, len(notes(folder))) == (0, 12, 12)
    assert again.columns == first.columns and again.runs.columns == first.runs.columns
    # More replications and another point: only these are run.
    more = sweep(
        trial("noise"), {**GRID, "a": [1.0, 4.0, 5.0]}, 4, ThreadPoolExecutor(1), quiet=True
    )
    assert (more.ran, more.reused) == (24 - 12, 12)


def test_a_file_that_is_torn_is_run_again(folder: Path) -> None:
    sweep(trial("noise"), {"a": [1.0]}, 3, ThreadPoolExecutor(1), quiet=True)
    files = sorted((folder / "cache").rglob("*.json"))
    assert len(files) == 3 and not list((folder / "cache").rglob("*.new"))
    files[0].write_text(files[0].read_text()[:20])
    other = json.loads(files[1].read_text())
    files[1].write_text(json.dumps({**other, "run": "that of another"}))
    assert sweep(trial("noise"), {"a": [1.0]}, 3, ThreadPoolExecutor(1), quiet=True).ran == 2


PROGRAM = """
import sys
from concurrent.futures import ThreadPoolExecutor
from simulations import sweep
from sweep_trials import noise
found = sweep(noise, {"a": [1.0], "wait_s": [float(sys.argv[1])]}, int(sys.argv[2]), quiet=True)
print(found.ran, found.reused, found["value"][0])
"""


def program(*arguments: Any) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


def test_a_changed_source_runs_everything_anew(folder: Path) -> None:
    """The helper is not the experiment's own file: what it imports counts too."""
    ran, reused, value = program(0, 3)
    assert (ran, reused) == ("3", "0")
    assert program(0, 3)[:2] == ["0", "3"]
    # Longer than before: of two sources that are equally long and were written in the same
    # second, Python would run the byte code of the first.
    (folder / "sweep_helper.py").write_text("FACTOR = 2.0\n")
    ran, reused, changed = program(0, 3)
    assert (ran, reused) == ("3", "0") and float(changed) == pytest.approx(float(value) + 1)
    # The old ones are still there for the old source.
    (folder / "sweep_helper.py").write_text("FACTOR = 1\n")
    assert program(0, 3) == ["0", "3", value]


def test_the_library_counts_where_the_experiment_depends_on_it() -> None:
    module = "simulations.experiments.cold_starts"
    files, packages = sources(module)
    assert {"simulations.services.function", "simulations.stats", module} <= set(files)
    assert "simulations.experiments.records/cold_starts_2020.json" in files
    assert any(name.startswith("simulations.facts/") for name in files)
    assert not [
        name for name in files if name.startswith(("simulations.figures", "simulations.sweep"))
    ]
    assert not [name for name in files if name == "simulations.experiments.lambda_cost"]
    assert packages == {"simpy"}


def test_sources_edited_under_a_running_process_are_noticed(folder: Path) -> None:
    digest("sweep_trials")
    (folder / "sweep_helper.py").write_text("FACTOR = 3\n")
    with pytest.raises(Changed, match="edited after this process loaded them: start it anew"):
        digest("sweep_trials")


# ---------------------------------------------------------------- when something dies


def test_a_killed_worker_is_replaced_and_nothing_is_lost(folder: Path) -> None:
    grid: dict[str, list[Any]] = {"a": [1.0, 2.0, 3.0, 4.0], "flag": [str(folder / "flag")]}
    found = sweep(trial("murdered"), grid, 5, quiet=True)
    assert found["value"] == [1.0, 2.0, 3.0, 4.0] and found.ran == 20


def test_a_run_that_always_kills_its_worker_is_reported(folder: Path) -> None:
    with pytest.raises(
        WorkersLost, match=r"died 3 times in a row.*\d+ runs are finished: the same"
    ):
        sweep(trial("murdered"), {"a": [1.0, 2.0, 3.0]}, 2, quiet=True)


def test_a_given_pool_that_breaks_is_reported_and_the_next_call_goes_on(folder: Path) -> None:
    grid: dict[str, list[Any]] = {"a": [1.0, 2.0, 3.0, 4.0], "flag": [str(folder / "flag")]}
    said = r"the executor lost its workers .*goes on from there"
    with ProcessPoolExecutor(1) as pool, pytest.raises(WorkersLost, match=said):
        sweep(trial("murdered"), grid, 5, pool, quiet=True)
    kept = len(list((folder / "cache").rglob("*.json")))
    assert kept == 10, "the two points before the fatal one"
    with ProcessPoolExecutor(1) as pool:
        found = sweep(trial("murdered"), grid, 5, pool, quiet=True)
    assert (found.ran, found.reused) == (10, 10)


@pytest.mark.skipif(os.name == "nt", reason="needs kill -9")
def test_kill_9_of_the_parent_loses_no_finished_run_and_leaves_no_process(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM, "0.05", "100"]) as parent:
        until(lambda: len(list((folder / "cache").rglob("*.json"))) >= 8)
        parent.send_signal(signal.SIGKILL)
    workers = {int(line.split()[-1]) for line in notes(folder)}
    until(lambda: not any(alive(pid) for pid in workers))
    kept = len(list((folder / "cache").rglob("*.json")))
    assert 8 <= kept < 100
    ran, reused, value = program(0.05, 100)
    assert (int(ran), int(reused)) == (100 - kept, kept)
    # And it is what an undisturbed sweep finds.
    expected = sweep(
        trial("noise"), {"a": [1.0]}, 100, ThreadPoolExecutor(1), cache=None, quiet=True
    )
    assert float(value) == expected["value"][0]


def until(true: Any, patience_s: float = 20.0) -> None:
    end_s = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rsplit(")")[-1].split()[0] == "Z")


def test_a_run_that_fails_is_named_and_the_others_are_kept(folder: Path) -> None:
    with pytest.raises(
        RunFailed, match=r"broken\(a=2\.0, seed=\d+\): RuntimeError: the till is empty"
    ):
        sweep(trial("broken"), {"a": [1.0, 2.0]}, 3, ThreadPoolExecutor(1), quiet=True)
    assert len(list((folder / "cache").rglob("*.json"))) == 3


def test_runs_that_end_after_one_has_failed_are_kept_too(folder: Path) -> None:
    class AtOnce(Executor):
        """Has run everything before the first answer is taken."""

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_result(fn(*args, **kwargs))
            return future

    with pytest.raises(RunFailed):
        sweep(trial("broken"), {"a": [2.0, 1.0, 3.0]}, 3, AtOnce(), quiet=True)
    assert len(list((folder / "cache").rglob("*.json"))) == 6


# ---------------------------------------------------------------- what is refused


@experiment("trial")
def seedless(a: float = 1.0) -> Result:
    return Result(Axis("x"), Axis("y"), numbers={"a": Number(a)})


def local() -> Experiment:
    @experiment("trial")
    def inner(a: float = 1.0, seed: int = 1) -> Result:
        return Result(Axis("x"), Axis("y"), numbers={"a": Number(a)})

    return inner


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"grid": {"b": [1]}}, "noise has no parameter 'b'; it has a, kind, wait_s, seed"),
        ({"grid": {}}, "grid={} is empty"),
        ({"grid": {"a": []}}, r"grid\['a'\] is empty"),
        ({"grid": {"a": [11.0]}}, "a=11.0 is outside 0 to 10"),
        ({"grid": {"kind": ["odd"]}}, "kind='odd' is none of 'plain', 'squared'"),
        ({"grid": {"a": [1.0, 1.0]}}, r"grid\['a'\] has 1.0 twice"),
        ({"grid": {"a": 1.0}}, r"grid\['a'\]=1.0 is no sequence"),
        ({"grid": {"kind": "plain"}}, r"grid\['kind'\]='plain' is no sequence"),
        ({"grid": {"wait_s": [math.nan]}}, r"grid\['wait_s'\] has nan, which is not finite"),
        ({"grid": {"wait_s": [(1, 2)]}}, r"values are numbers, strings, True or False"),
        ({"grid": {"seed": [1, 2]}}, "grid names 'seed'"),
        ({"grid": [1, 2]}, "no mapping of parameter to values"),
        ({"replications": 0}, "replications=0 is not possible.* at least 1"),
        ({"replications": 2.5}, "replications=2.5 is not possible"),
        ({"seed": 1.5}, "seed=1.5 is not a whole number"),
        ({"level": 1.0}, "level=1.0 is not possible"),
        ({"precision": 0.1}, "precision=0.1 is no Precision"),
        ({"precision": Precision("value", 0.1, at_most=2)}, "at_most=2 is not possible"),
        ({"executor": 4}, r"executor=4 is no executor: it has no submit\(\)"),
        ({"experiment": seedless}, "seedless has no parameter 'seed'"),
        ({"experiment": print}, "was not made by @experiment"),
        ({"experiment": local()}, "inner cannot be imported .*has no experiment 'inner'"),
    ],
)
def test_bad_input_is_refused_by_name_before_any_work(
    folder: Path, change: dict[str, Any], said: str
) -> None:
    asked: dict[str, Any] = {
        "experiment": trial("noise"), "grid": {"a": [1.0]}, "replications": 3, **change
    }  # fmt: skip
    with pytest.raises(ValueError, match=said):
        sweep(**asked)
    assert notes(folder) == [] and not (folder / "cache").exists()


def test_a_number_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(ValueError, match="precision: no number 'valeu'; there are value"):
        sweep(
            trial("noise"), {"a": [1.0]}, 3, ThreadPoolExecutor(1), quiet=True,
            precision=Precision("valeu", 0.1),
        )  # fmt: skip


def test_a_bar_shows_how_far_it_is_unless_it_is_to_be_quiet(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(trial("noise"), {"a": [1.0]}, 3, ThreadPoolExecutor(1), quiet=True)
    assert capsys.readouterr().err == ""
    sweep(trial("noise"), {"a": [2.0]}, 3, ThreadPoolExecutor(1))
    assert "3/3" in capsys.readouterr().err


def test_seeds_are_spread_and_fixed_for_ever() -> None:
    """A sweep kept by one release is read by the next: these values may not move."""
    plan = plan_of(pairing, {"faster": [1.1]}, 3, 1, None, 0.95)
    seeds = [plan.seed_of(k) for k in range(1000)]
    assert len(set(seeds)) == 1000
    assert seeds[:2] == [1809499455602014, 8751993998700166]
