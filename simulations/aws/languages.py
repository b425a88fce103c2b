"""The shop's handler in five languages, made ready for the local runtime.

The handlers lie under ``book/lambda/handlers``, each in a folder of its language; in ``local``
(Go: ``cmd/local``) the small loops that speak the Runtime API where Lambda has its own. May import: the
standard library and `simulations.aws.runtime`.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simulations.aws.runtime import LocalRuntime

HANDLERS = Path(__file__).resolve().parents[2] / "book" / "lambda" / "handlers"
#: As Lambda sets them for Java 17 and later: the quick compiler alone, a small collector.
JAVA_OPTIONS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


@dataclass(frozen=True)
class Language:
    """How one language's handler is built and run here.

    Attributes
    ----------
    name, runtime
        The language, and Lambda's identifier for its runtime.
    handler
        What Lambda's setting "handler" holds.
    tools
        Programs that must be found, each with the command that prints its version and the oldest
        version that will do.
    command
        From the folder that `build` filled to the command that starts a process.
    steps
        Build commands, run in the language's folder; `{out}` is the folder to fill.
    copied
        Files copied as they are.
    """

    name: str
    runtime: str
    handler: str
    folder: str
    tools: Mapping[str, tuple[tuple[str, ...], int]] = field(default_factory=dict)
    command: Callable[[Path], list[str] | None] = lambda _: None
    steps: tuple[tuple[str, ...], ...] = ()
    copied: tuple[str, ...] = ()

    def version(self) -> str | None:
        """What the language's first tool says about itself; None if a tool is absent or too old.

        A tool that Python itself brings is never absent.
        """
        said = None
        for tool, (asked, oldest) in self.tools.items():
            if shutil.which(tool) is None:
                return None
            done = subprocess.run([tool, *asked], capture_output=True, text=True, check=False)
            found = re.search(r"(\d+)\.(\d+)", done.stdout + done.stderr)
            # Go counts 1.21, 1.22; the others by their first number.
            number = 0 if found is None else int(found[2] if tool == "go" else found[1])
            if number < oldest:
                return None
            said = said or (done.stdout + done.stderr).strip().splitlines()[0]
        return said or f"Python {platform.python_version()}"

    def build(self, out: Path) -> Path:
        """Fill the folder `out` with what runs; returns it.

        Raises
        ------
        RuntimeError
            If a build command fails, with what it said.
        """
        out.mkdir(parents=True, exist_ok=True)
        here = HANDLERS / self.folder
        for name in self.copied:
            shutil.copy(here / name, out)
        for step in self.steps:
            words = [word.format(out=out.resolve(), local=HANDLERS / "local") for word in step]
            done = subprocess.run(words, cwd=here, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"{self.name}: {' '.join(words)}: {done.stdout}{done.stderr}")
        return out

    def start(self, built: Path, memory_mb: int = 512, concurrency: int = 10) -> LocalRuntime:
        """Return a local runtime of what `build` made."""
        return LocalRuntime(
            self.handler, task_root=built, command=self.command(built), memory_mb=memory_mb,
            timeout_s=10, concurrency=concurrency, function_name=f"ValidateOrder-{self.folder}",
        )  # fmt: skip


def _node(_: Path) -> list[str]:
    return ["node", str(HANDLERS / "local" / "bootstrap.mjs")]


def _ruby(_: Path) -> list[str]:
    return ["ruby", str(HANDLERS / "local" / "bootstrap.rb")]


def _java(built: Path) -> list[str]:
    return ["java", *JAVA_OPTIONS, "-cp", str(built.resolve()), "Bootstrap"]


def _go(built: Path) -> list[str]:
    return [str(built.resolve() / "bootstrap")]


VERSION = ("--version",)
#: C# is shown in the book and not run: no registry that the project uses carries its compiler.
LANGUAGES = (
    Language(
        "Python", "python3.14", "app.handler", "python", copied=("app.py", "shop_log.py")
    ),
    Language(
        "Node.js", "nodejs24.x", "index.handler", "nodejs", {"node": (VERSION, 18)}, _node,
        copied=("index.mjs", "shop-log.mjs"),
    ),
    Language(
        "Ruby", "ruby3.4", "app.handler", "ruby", {"ruby": (VERSION, 3)}, _ruby,
        copied=("app.rb", "shop_log.rb"),
    ),
    Language(
        "Java", "java25", "shop.ValidateOrder::handle", "java",
        {"java": (VERSION, 17), "javac": (VERSION, 17)}, _java,
        steps=(("javac", "--release", "17", "-d", "{out}", "shop/ValidateOrder.java",
                "shop/ShopLog.java", "{local}/Bootstrap.java"),),
    ),
    Language(
        "Go", "provided.al2023", "bootstrap", "go", {"go": (("version",), 21)}, _go,
        steps=(("go", "build", "-trimpath", "-ldflags=-s", "-o", "{out}/bootstrap", "./cmd/local"),),
    ),
)  # fmt: skip


def present() -> list[Language]:
    """The languages whose tools are on this machine; Python always.

    Examples
    --------
    >>> "Python" in [one.name for one in present()]
    True
    """
    return [one for one in LANGUAGES if one.version() is not None]
