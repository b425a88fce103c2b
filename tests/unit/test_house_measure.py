"""`make measure`: a record tells where it comes from, and no failure spoils one."""

from __future__ import annotations

import json
import re
import sys
from datetime import date
from pathlib import Path

import house_commands
import house_measure
import pytest
from house_common import Trouble


@pytest.fixture
def house(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with nothing in it but room for measurements and records."""
    (tmp_path / "site" / "scripts").mkdir(parents=True)
    (tmp_path / "simulations" / "experiments" / "records").mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text("simpy>=4\nnumpy\n")
    monkeypatch.setattr(house_measure, "venv_python", lambda _: Path(sys.executable))
    monkeypatch.setenv("PYTHONPATH", str(root))
    return tmp_path


def add(house: Path, name: str, text: str) -> None:
    (house / "site" / "scripts" / f"measure_{name}.py").write_text(text)


def test_a_record_says_what_was_found_and_on_which_machine(
    house: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    add(
        house,
        "speed",
        "import sys, simpy\n"
        'TOOLS = {"interpreter": [sys.executable, "--version"], "none": ["no-such-program"]}\n'
        'def measure():\n    return {"import_ms": 12.5}\n',
    )
    house_measure.measure_all(house)
    text = house_measure.record_file(house, "speed").read_text(encoding="utf-8")
    found = json.loads(text)
    told = found["measured_on"]
    assert found["import_ms"] == 12.5
    assert "measure_speed.py" in found["source"]
    assert abs((date.today() - date.fromisoformat(told["date"])).days) <= 1
    assert told["python"].endswith(".".join(map(str, sys.version_info[:3])))
    assert set(told["versions"]) == {"simpy", "interpreter", "none"}, "numpy was not imported"
    assert told["versions"]["interpreter"].startswith("Python 3")
    assert told["versions"]["none"] == "absent"
    assert told["cores"] >= 1 and told["machine"]
    assert told["command"] == "make measure NAME=speed"
    assert "measure: wrote simulations/experiments/records/speed.json" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'def measure():\n    raise OSError("no node\\nhere")\n',
            r"OSError: no node here \(measure_x\.py:2\)",
        ),
        ("def measure():\n    return None\n", "returned NoneType, not a filled dict"),
        ('def measure():\n    return {"a": float("nan")}\n', "what JSON cannot hold"),
        ('def measure():\n    return {"measured_on": 1}\n', "measured_on, which is added here"),
        ("import no_such_package\n", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("def measure(:\n", "SyntaxError"),
    ],
)
def test_a_measurement_that_fails_leaves_its_record_and_one_line(
    house: Path, capfd: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    record = house_measure.record_file(house, "x")
    record.write_text("as before")
    add(house, "x", text)
    with pytest.raises(Trouble, match="failed: x; the records of these are unchanged"):
        house_measure.measure_all(house, "x")
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1 and re.search(said, lines[0]), lines
    assert record.read_text() == "as before"
    assert [one.name for one in record.parent.iterdir()] == ["x.json"], "nothing half-written"


def test_a_failure_does_not_keep_the_others_from_being_measured(house: Path) -> None:
    add(house, "a", "def measure():\n    raise ValueError\n")
    add(house, "b", 'def measure():\n    return {"n": 1}\n')
    with pytest.raises(Trouble, match="failed: a;"):
        house_measure.measure_all(house)
    assert house_measure.record_file(house, "b").is_file()


def test_an_unknown_name_is_answered_with_the_known_ones(house: Path) -> None:
    with pytest.raises(Trouble, match="there is no site/scripts/measure_"):
        house_measure.measure_all(house)
    add(house, "speed", "")
    with pytest.raises(Trouble, match="no measurement is called 'sped'; there are speed"):
        house_measure.measure_all(house, "sped")


def test_the_command_hands_the_name_over(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []
    monkeypatch.setattr(house_commands, "ensure_python", lambda root: None)
    monkeypatch.setattr(house_commands, "measure_all", lambda root, name: asked.append(name))
    assert house_commands.run_command(["measure", "imports"]) == 0
    assert house_commands.run_command(["measure"]) == 0
    assert asked == ["imports", None]


def test_every_measurement_has_its_record_with_its_machine(root: Path) -> None:
    for name in house_measure.measurements(root):
        record = json.loads(house_measure.record_file(root, name).read_text(encoding="utf-8"))
        assert {"machine", "cores", "python", "date", "command"} <= set(record["measured_on"]), name
        assert record["measured_on"]["command"] == f"make measure NAME={name}"
