"""Pages broken by hand fail the build, each with a message that names the fault.

One small book a test, with our extensions and the settings of `_config.yml` that make the build
strict; built by Sphinx in a process of its own, as `make book` does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FRONT = """---
jupytext:
  text_representation: {extension: .md, format_name: myst, format_version: 0.13}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

"""
CELL = "```{code-cell} ipython3\n:tags: [remove-input]\n%s\n```\n"
FIGURE = """
from simulations.experiment import Axis, Result, Series
from simulations.figures import draw, publish, show
drawn = draw(Result(Axis("x"), Axis("y"), (Series("line", [1, 2], [3, 4], role="coupled"),)))
publish("share", "85 %")
show(drawn, name="fig-line", alt="A line that rises from three to four, without bends", caption="It rises.")
"""
SOUND = (
    "# A share of {n}`share`\n\nIt lasts {fact}`lambda.timeout:max_s in min`.\n\n" + CELL % FIGURE
)


def build(folder: Path, root: Path, pages: dict[str, str]) -> tuple[int, str]:
    """Build a book of these pages; return Sphinx's exit code and what it said."""
    settings = f"""
import sys
sys.path[:0] = [{str(root)!r}, {str(root / "site" / "ext")!r}]
extensions = ["myst_nb", "sphinx_design", "book_pages", "book_figures", "book_numbers"]
html_theme = "sphinx_book_theme"
html_static_path = [{str(root / "site" / "static")!r}]
html_css_files = ["book.css"]
templates_path = [{str(root / "site" / "templates")!r}]
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_output_stderr = "error"
nb_ipywidgets_js = {{}}
myst_enable_extensions = ["colon_fence", "dollarmath"]
suppress_warnings = ["toc.not_included"]
"""
    (folder / "conf.py").write_text(settings, encoding="utf-8")
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(FRONT + text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-b", "html", ".", "out/html"],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore", "NO_COLOR": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_sound_page_builds_with_its_figure_number_and_fact(tmp_path: Path, root: Path) -> None:
    code, said = build(tmp_path, root, {"index": SOUND})
    assert code == 0, said
    html = (tmp_path / "out/html/index.html").read_text(encoding="utf-8")
    assert '<span class="n">85 %</span>' in html
    assert '<figure class="sbe' in html and 'id="fig-line"' in html and "var(--vermilion" in html
    assert "15\u202fminutes" in html and 'class="fact-note"' in html and "Lambda quotas" in html
    for foreign in ("unpkg", "jsdelivr", "thebe", "require.min.js", "<img"):
        assert foreign not in html
    record = json.loads((tmp_path / "out/numbers.json").read_text(encoding="utf-8"))
    assert record["pages"]["index"] == {
        "numbers": {"share": "85 %"},
        "facts": {"lambda.timeout:max_s in min": "15\u202fminutes"},
        "figures": {
            "fig-line": {
                "alt": "A line that rises from three to four, without bends",
                "caption": "It rises.",
            }
        },
    }


# What is a warning, and so stops the build at its end: all of it in one book, a page a fault.
FAULTS = {
    "unknown-number": ("It is {n}`shares`.", "number 'shares' is not published on this page"),
    "unknown-fact": ("{fact}`lambda.timeouts:max_s`", "no fact 'lambda.timeouts'"),
    "unknown-part": ("{fact}`lambda.timeout:max_h`", "no part 'max_h'"),
    "part-not-chosen": ("{fact}`lambda.timeout`", "has parts, choose one"),
    "impossible-unit": ("{fact}`lambda.timeout:max_s in USD`", "no conversion from 's'"),
    "unknown-role": ("{nosuchrole}`x`", "nosuchrole"),
    "dead-link": ("[nowhere](nowhere.md)", "nowhere"),
    "standard-error": (CELL % "import sys; print('x', file=sys.stderr)", "stderr"),
    "published-twice": (
        CELL % "from simulations.figures import publish; publish('a', '1'); publish('a', '2')",
        "published twice",
    ),
}


def test_every_fault_is_a_warning_and_warnings_fail_the_build(tmp_path: Path, root: Path) -> None:
    pages = {name: f"# {name}\n\n{text}\n" for name, (text, _) in FAULTS.items()}
    code, said = build(tmp_path, root, {"index": "# Sound\n", **pages})
    assert code != 0
    lines = said.splitlines()
    for name, (_, words) in FAULTS.items():
        assert any(words in line and name in line for line in lines), f"{name}: {said[-4000:]}"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (SOUND.replace("show(drawn", "1 / 0\nshow(drawn"), "ZeroDivisionError"),
        (
            SOUND.replace("A line that rises from three to four, without bends", "A line"),
            "alt='A line'",
        ),
    ],
    ids=["raising cell", "poor alt text"],
)
def test_a_cell_that_raises_stops_the_build_and_says_why(
    page: str, words: str, tmp_path: Path, root: Path
) -> None:
    code, said = build(tmp_path, root, {"index": page})
    assert code != 0
    assert words in said, said[-3000:]
