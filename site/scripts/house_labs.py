"""The labs: learners' copies without solutions, opening them, resetting one, accepting new outputs.

A committed lab is the solved version. What stands between the comment lines ``# solution`` and
``# end of solution`` (or the end of the cell) is taken out of a learner's copy; so is a text cell
that begins with ``<!-- solution -->``. Imports the standard library and its neighbors only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from house_common import ROOT, Trouble, run, say, venv_python
from house_setup import ensure_python

BEGIN = "# solution"
END = "# end of solution"
PLACE = "# your code here"
TEXT_SOLUTION = "<!-- solution -->"

Notebook = dict[str, Any]


def without_solutions(source: str) -> str:
    """Return a cell's code with every solution replaced by a place for the learner's own."""
    kept: list[str] = []
    inside = False
    for line in source.splitlines():
        bare = line.strip()
        if inside:
            inside = bare != END
        elif bare == BEGIN:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            kept.append(indent + PLACE)
            if indent:
                kept.append(indent + "...")  # a body of comments alone would not parse
        else:
            kept.append(line)
    return "\n".join(kept)


def learners_copy(notebook: Notebook) -> Notebook:
    """Return a notebook with solutions and outputs taken out."""
    cells = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            cell = {**cell, "source": _lines(without_solutions(source))}
            cell |= {"outputs": [], "execution_count": None}
        elif source.lstrip().startswith(TEXT_SOLUTION):
            continue
        cells.append(cell)
    return {**notebook, "cells": cells}


def _lines(source: str) -> list[str]:
    return source.splitlines(keepends=True)


def read_notebook(path: Path) -> Notebook:
    """Read a notebook file."""
    notebook: Notebook = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def notebook_text(notebook: Notebook) -> str:
    """Return the text of a notebook file, in the layout Jupyter itself writes."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def solved_labs(root: Path) -> list[Path]:
    """Return the committed labs, in order."""
    return sorted((root / "notebooks").glob("lab-*.ipynb"))


def make_copies(root: Path) -> list[Path]:
    """Write the learner's copies that do not exist yet; return those written."""
    folder = root / "my-labs"
    folder.mkdir(exist_ok=True)
    written = []
    for lab in solved_labs(root):
        copy = folder / lab.name
        try:
            # "x" refuses an existing file, so a learner's work is safe whatever else happens.
            with copy.open("x", encoding="utf-8") as out:
                out.write(notebook_text(learners_copy(read_notebook(lab))))
        except FileExistsError:
            continue
        written.append(copy)
    return written


def find_lab(root: Path, name: str) -> Path:
    """Return the committed lab that a learner means by ``1``, ``lab-01`` or its whole name."""
    labs = solved_labs(root)
    wanted = name.removesuffix(".ipynb").removeprefix("my-labs/").lower()
    if wanted.isdigit():
        wanted = f"lab-{int(wanted):02d}"
    found = [lab for lab in labs if lab.stem == wanted or lab.stem.startswith(wanted + "-")]
    if len(found) != 1:
        known = ", ".join(lab.stem for lab in labs) or "none"
        raise Trouble(f"no lab is called {name!r}; there are: {known}")
    return found[0]


def reset_lab(root: Path, name: str) -> Path:
    """Give a learner a fresh copy of one lab; what stood there is kept beside, with its date."""
    lab = find_lab(root, name)
    copy = root / "my-labs" / lab.name
    if copy.exists():
        backups = copy.parent / "backups"
        backups.mkdir(exist_ok=True)
        kept = backups / f"{lab.stem}.{datetime.now():%Y-%m-%d-%H%M%S}.ipynb"
        number = 1
        while kept.exists():
            number += 1
            kept = kept.with_stem(f"{kept.stem}-{number}")
        copy.rename(kept)
        say(f"lab: your version is kept as {kept.relative_to(root)}")
    make_copies(root)
    say(f"lab: {copy.relative_to(root)} is as new")
    return copy


def open_labs(root: Path = ROOT, arguments: Sequence[str] = ()) -> None:
    """Make the learner's copies and open JupyterLab on them."""
    ensure_python(root)
    if not solved_labs(root):
        raise Trouble("there are no labs in notebooks/")
    for copy in make_copies(root):
        say(f"lab: new copy for you: {copy.relative_to(root)}")
    command: list[str | Path] = [
        venv_python(root),
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={root / 'my-labs'}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container there is often no other user
    try:
        run([*command, *arguments], root=root)
    except KeyboardInterrupt:
        say("")


# ---------------------------------------------------------------- accepting an intended change


def joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a cell's outputs with neighboring pieces of one stream joined.

    Where a kernel flushes in the middle of a line depends on how busy the machine is.
    """
    found: list[dict[str, Any]] = []
    for output in outputs:
        last = found[-1] if found else {}
        both = (output.get("output_type"), last.get("output_type"))
        if both == ("stream", "stream") and output["name"] == last["name"]:
            last["text"] = "".join([*last["text"], *output["text"]]).splitlines(keepends=True)
        else:
            found.append(output)
    return found


def tidy(notebook: Notebook) -> Notebook:
    """Return a notebook without what differs between two runs: times and versions."""
    cells = []
    for cell in notebook["cells"]:
        metadata = {key: value for key, value in cell["metadata"].items() if key != "execution"}
        kept = {**cell, "metadata": metadata}
        if "outputs" in cell:
            kept["outputs"] = joined(cell["outputs"])
        cells.append(kept)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        **notebook,
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
    }


def run_in_place(root: Path, path: Path, environment: dict[str, str]) -> bool:
    """Run a notebook and store its outputs; tell whether its file changed.

    A cell that raises leaves the file as it was.
    """
    before = path.read_text(encoding="utf-8")
    command: list[str | Path] = [
        venv_python(root),
        "-m",
        "nbconvert",
        "--to",
        "notebook",
        "--execute",
    ]
    command += ["--inplace", "--log-level=ERROR", str(path)]
    if run(command, root=root, environment=environment) != 0:
        path.write_text(before, encoding="utf-8")
        raise Trouble(f"{path.name} raised an error and is left as it was")
    after = notebook_text(tidy(read_notebook(path)))
    path.write_text(after, encoding="utf-8")
    return after != before


def accept_labs(root: Path, environment: dict[str, str]) -> list[Path]:
    """Run every committed lab and store its outputs; return those whose outputs changed."""
    changed = []
    for lab in solved_labs(root):
        say(f"accept: running {lab.name}")
        if run_in_place(root, lab, environment):
            changed.append(lab)
    return changed
