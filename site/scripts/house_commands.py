"""The commands: what each is called, what it takes, what it does.

Imports the standard library and its neighbors only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from house_book import PORT, build_book, clean, read_book, steady_environment
from house_common import ROOT, Trouble, run, say, venv_python, warn
from house_labs import accept_labs, open_labs, reset_lab, solved_labs
from house_measure import measure_all
from house_new import new_chapter, new_lab
from house_setup import ensure_all, ensure_python, find_chromium

Command = Callable[[argparse.Namespace], None]


def setup(options: argparse.Namespace) -> None:
    """Set up the Python environment and the JavaScript packages (all commands do, if need be)."""
    ensure_all(ROOT)
    say("set-up: ready")


def book(options: argparse.Namespace) -> None:
    """Build the book to _build/html."""
    build_book(ROOT)


def read(options: argparse.Namespace) -> None:
    """Serve the built book on this machine and print its address."""
    read_book(ROOT, options.port)


def lab(options: argparse.Namespace) -> None:
    """Open JupyterLab on your own copies of the labs, in my-labs/."""
    open_labs(ROOT, options.rest)


def reset(options: argparse.Namespace) -> None:
    """Start one lab over; your version is kept."""
    reset_lab(ROOT, options.name)


def cleaning(options: argparse.Namespace) -> None:
    """Remove what was built (--all: also what was set up); never my-labs/."""
    clean(ROOT, options.all)


def chapter(options: argparse.Namespace) -> None:
    """Start a chapter that builds: its page, its experiment, its line in _toc.yml."""
    new_chapter(ROOT, options.slug, options.part, options.title)


def new_lab_command(options: argparse.Namespace) -> None:
    """Start a lab that passes: notebooks/lab-NN-<slug>.ipynb."""
    ensure_python(ROOT)
    new_lab(ROOT, options.slug, options.title)


def measure(options: argparse.Namespace) -> None:
    """Measure this machine anew (all, or one by name): records with machine, versions and date."""
    ensure_python(ROOT)
    measure_all(ROOT, options.name)


def bench(options: argparse.Namespace) -> None:
    """Run the engines beside other simulators, and keep speeds and memory as a record."""
    ensure_python(ROOT)
    measure_all(ROOT, "benchmarks")


def prices(options: argparse.Namespace) -> None:
    """Fetch today's prices from AWS into my-prices/ (needs the network; nothing else does)."""
    ensure_python(ROOT)
    command: list[str | Path] = [venv_python(ROOT), "-m", "simulations.aws.prices", *options.rest]
    if run(command, root=ROOT, environment=steady_environment(ROOT)) != 0:
        raise Trouble("the prices are as they were")


def accept(options: argparse.Namespace) -> None:
    """Accept an intended change: store published numbers and lab outputs anew, for review."""
    ensure_all(ROOT)
    # The labs first: the book shows their stored outputs.
    for changed in accept_labs(ROOT, steady_environment(ROOT)):
        say(f"accept: outputs changed in {changed.relative_to(ROOT)}")
    build_book(ROOT, accept_numbers=True)
    say("accept: look at what changed (git diff), then commit it")


# ---------------------------------------------------------------- test


def test(options: argparse.Namespace) -> None:
    """Set up, build the book, then run every check; all failures are shown at the end."""
    ensure_all(ROOT)
    required = os.environ.get("SBE_REQUIRE_ALL") == "1"
    if find_chromium() is None:
        if required:
            raise Trouble("SBE_REQUIRE_ALL is set and Chromium is not installed")
        warn("test: Chromium is not installed, so the browser tests are skipped")
    environment = steady_environment(ROOT)
    failed = []
    for name, command in steps(ROOT, options.rest):
        say(f"\n== {name}")
        started = time.monotonic()
        try:
            if command is None:
                build_book(ROOT)
            elif run(command, root=ROOT, environment=environment) != 0:
                failed.append(name)
        except Trouble as trouble:
            warn(str(trouble))
            failed.append(name)
        say(f"== {name}: {time.monotonic() - started:.0f} s")
    if failed:
        raise Trouble(f"failed: {', '.join(failed)}")
    say("\ntest: everything passed")


def steps(root: Path, rest: Sequence[str]) -> list[tuple[str, list[str | Path] | None]]:
    """Return the checks in order, the quick ones first; None stands for building the book."""
    python = venv_python(root)
    workers = ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile"]
    pytest: list[str | Path] = [python, "-m", "pytest", "-q", "--no-header", "--durations=8"]
    found: list[tuple[str, list[str | Path] | None]] = [
        ("ruff check", [python, "-m", "ruff", "check", "."]),
        (
            "ruff format",
            [python, "-m", "ruff", "format", "--check", "--output-format", "concise", "."],
        ),
        ("mypy", [python, "-m", "mypy"]),
        ("book", None),
        ("pytest", [*pytest, *workers, *rest]),
    ]
    if solved_labs(root):
        found.append(("labs", [*pytest, *workers, "--nbval", "notebooks"]))
    return found


# ---------------------------------------------------------------- the table


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="house.py",
        description="Serverless by Experiment: every command of the project.",
        epilog="Each command sets up what it needs. `make NAME` does the same.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def add(name: str, action: Command) -> argparse.ArgumentParser:
        about = (action.__doc__ or "").split("\n")[0]
        one = commands.add_parser(name, help=about, description=about)
        one.set_defaults(action=action)
        return one

    add("book", book)
    add("read", read).add_argument("--port", type=int, default=PORT)
    add("lab", lab)
    add("test", test)
    add("accept", accept)
    one = add("measure", measure)
    one.add_argument("name", nargs="?", help="measure_<name>.py; all of them by default")
    add("bench", bench)
    add("prices", prices)
    one = add("reset-lab", reset)
    one.add_argument("name", help="for example: 1, lab-01, or its whole name")
    one = add("new-chapter", chapter)
    one.add_argument("--slug", required=True, help="its id in the curriculum: cold-starts")
    one.add_argument("--part", required=True, help="its folder in book/: lambda")
    one.add_argument("--title", required=True, help="its finding, as a sentence")
    one = add("new-lab", new_lab_command)
    one.add_argument("--slug", required=True, help="a short name: power-tuning")
    one.add_argument("--title", required=True, help="the task, as a sentence")
    add("setup", setup)
    one = add("clean", cleaning)
    one.add_argument("--all", action="store_true", help="also .venv and node_modules")
    commands.add_parser("help", help="Show this list.")
    return top


def run_command(arguments: Sequence[str]) -> int:
    """Run one command; return the exit code."""
    top = parser()
    options, rest = top.parse_known_args(arguments)
    if options.command in (None, "help"):
        top.print_help()
        return 0
    if rest and options.command not in ("lab", "test", "prices"):
        top.error(f"{options.command} does not take {' '.join(rest)}")
    options.rest = rest
    try:
        options.action(options)
    except Trouble as trouble:
        warn(f"{options.command}: {trouble}")
        return 1
    except KeyboardInterrupt:
        warn(f"\n{options.command}: stopped")
        return 130
    except (OSError, subprocess.SubprocessError) as error:
        warn(f"{options.command}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run_command(sys.argv[1:]))
