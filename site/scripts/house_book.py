"""Building the book, serving it, cleaning up.

A build is skipped when neither an input nor the built site has changed since the last good one.
What a page computes depends on the library, the facts and the lock, which the notebook cache does
not know; when any of these changed, the cache and the doctrees are removed before the build.

Imports the standard library, house_common and house_setup only.
"""

from __future__ import annotations

import calendar
import http.server
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from house_common import (
    ROOT,
    Trouble,
    alone,
    files_below,
    hash_files,
    read_stamp,
    run,
    say,
    venv_python,
    warn,
    write_stamp,
)
from house_setup import ensure_all

# What is copied from node_modules into the site, by the folder it gets in _build/assets/vendor.
# The whole of a package is rarely needed: of MathJax one component and its fonts are enough.
VENDOR: dict[str, tuple[str, ...]] = {
    "mathjax": ("LICENSE", "es5/tex-chtml.js", "es5/output/chtml/fonts"),
}

# Folders that no page reads. (tests/snapshots is read: published numbers are compared with it.)
NOT_READ = ("docs", "benchmarks", ".github", ".ci")

# Jupyter Book as its command runs it, but a failed build ends in what the page said, not in a
# traceback of the tools.
JUPYTER_BOOK = """
import sys
from jupyter_book.cli.main import main
try:
    main(prog_name="jupyter-book")
except RuntimeError as error:
    cause = error
    while cause.__cause__:  # at the end of the chain stands what the cell itself said
        cause = cause.__cause__
    sys.exit(str(cause).strip())
"""

PORT = 8000


def library_stamp(root: Path) -> str:
    """Hash what every page's numbers depend on besides its own cells."""
    paths = [root / "requirements.lock"]
    for room in ("simulations", "site/ext"):
        paths.extend(files_below(root / room))
    return hash_files(root, paths)


def input_stamp(root: Path) -> str:
    """Hash everything the build reads."""
    return hash_files(root, _inputs(root))


def _inputs(root: Path) -> Iterator[Path]:
    for path in files_below(root, without=NOT_READ):
        inside = path.relative_to(root).parts
        if inside[0] != "tests" or inside[1] == "snapshots":
            yield path


def output_stamp(root: Path) -> str:
    """Hash the built site, so that a page changed by hand is noticed and built again."""
    html = root / "_build" / "html"
    return hash_files(html, (path for path in html.rglob("*") if path.is_file()))


def release_epoch(root: Path) -> str:
    """Return the release date of CITATION.cff as seconds, the one date a build may show."""
    text = (root / "CITATION.cff").read_text(encoding="utf-8")
    found = re.search(r"^date-released: *[\"']?(\d{4})-(\d\d)-(\d\d)", text, re.MULTILINE)
    if found is None:
        raise Trouble("CITATION.cff names no date-released (YYYY-MM-DD), which the build needs")
    year, month, day = (int(part) for part in found.groups())
    return str(calendar.timegm((year, month, day, 0, 0, 0)))


def steady_environment(root: Path) -> dict[str, str]:
    """Return the environment variables under which building twice gives the same bytes.

    They also keep the user's own settings of matplotlib, IPython and Jupyter out of the figures.
    """
    own = root / ".venv" / "home"
    kernel = own / "ipython" / "profile_default" / "ipython_kernel_config.py"
    kernel.parent.mkdir(parents=True, exist_ok=True)
    # Else each kernel warns that it is reached by TCP, which it is from this machine alone.
    kernel.write_text("get_config().IPKernelApp.log_level = 40\n", encoding="utf-8")
    scripts = venv_python(root).parent
    return {
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": release_epoch(root),
        "TZ": "UTC",
        "PYTHONUTF8": "1",
        "MPLCONFIGDIR": str(own / "matplotlib"),
        "IPYTHONDIR": str(own / "ipython"),
        "JUPYTER_CONFIG_DIR": str(own / "jupyter-config"),
        "JUPYTER_DATA_DIR": str(own / "jupyter-data"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def forget_stale(root: Path, stamp: str) -> bool:
    """Remove cached results if the library changed since they were computed; tell whether."""
    build = root / "_build"
    if read_stamp(build / ".library-stamp") == stamp:
        return False
    stale = [build / ".jupyter_cache", build / ".doctrees", build / "jupyter_execute"]
    found = [path for path in stale if path.exists()]
    for path in found:
        shutil.rmtree(path)
    write_stamp(build / ".library-stamp", stamp)
    return bool(found)


def copy_vendor(root: Path) -> None:
    """Copy what pages load in the browser from node_modules to ``_build/assets/vendor``."""
    target = root / "_build" / "assets" / "vendor"
    shutil.rmtree(target, ignore_errors=True)
    for package, parts in VENDOR.items():
        for part in parts:
            source, copy = root / "node_modules" / package / part, target / package / part
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy)
            else:
                shutil.copy2(source, copy)


def build_book(root: Path = ROOT, *, accept_numbers: bool = False) -> None:
    """Set up, then build the site to ``_build/html`` unless it is there already.

    With ``accept_numbers`` the published numbers become the new snapshot, not compared with it.
    """
    ensure_all(root)
    started = time.monotonic()
    with alone(root):
        stamp = root / "_build" / ".book-stamp"
        inputs = input_stamp(root)
        before = read_stamp(stamp).split()
        outputs = output_stamp(root) if before else ""
        if before == [inputs, outputs] and not accept_numbers:
            say(f"book: nothing changed since the last build ({_index(root)})")
            return
        stamp.unlink(missing_ok=True)
        if forget_stale(root, library_stamp(root)):
            say("book: the library, the facts or the lock changed: computing every page anew")
        make_site(root, accept_numbers=accept_numbers)
        if not accept_numbers:  # that has just changed an input
            write_stamp(stamp, f"{inputs} {output_stamp(root)}")
    say(f"book: built in {time.monotonic() - started:.0f} s, at {_index(root)}")


def make_site(root: Path, *, accept_numbers: bool = False) -> None:
    """Write the site and check it, whatever is there already."""
    copy_vendor(root)
    # Sphinx would leave pages that are gone, and pages that something else has changed.
    shutil.rmtree(root / "_build" / "html", ignore_errors=True)
    _run_sphinx(root)
    _check_site(root, ["--accept-numbers"] if accept_numbers else [])


def _index(root: Path) -> Path:
    return (root / "_build" / "html" / "index.html").relative_to(root)


def _run_sphinx(root: Path) -> None:
    environment = steady_environment(root)
    fonts = root / ".venv" / "home" / "matplotlib"
    if not fonts.exists():
        # The first use of matplotlib writes to standard error, which would fail a page.
        say("book: finding fonts")
        run([venv_python(root), "-c", "import matplotlib.font_manager"], environment=environment)
    command: list[str | Path] = [venv_python(root), "-c", JUPYTER_BOOK, "build", "."]
    command += ["--path-output", ".", "-W", "-n", "--keep-going"]
    if run(command, root=root, environment=environment) != 0:
        raise Trouble("the book did not build; the warnings and errors stand above")


def _check_site(root: Path, options: Sequence[str]) -> None:
    script = root / "site" / "scripts" / "check_site.py"
    if run([venv_python(root), script, *options], root=root) != 0:
        raise Trouble("the built site breaks a rule of the house; which one stands above")


# ---------------------------------------------------------------- reading


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line of log for each."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a reader's terminal is not a log."""


def open_server(folder: Path, port: int = PORT) -> http.server.ThreadingHTTPServer:
    """Return a server of a folder on loopback, on the port wanted or, if taken, on a free one."""
    handler = partial(QuietHandler, directory=str(folder))
    for candidate in (port, 0):
        try:
            return http.server.ThreadingHTTPServer(("127.0.0.1", candidate), handler)
        except OSError:
            if candidate == 0:
                raise
            warn(f"port {port} is taken; using a free one")
    raise AssertionError("unreachable")


def read_book(root: Path = ROOT, port: int = PORT) -> None:
    """Serve the built site on loopback until interrupted, building it first if it is missing."""
    html = root / "_build" / "html"
    if not (html / "index.html").is_file():
        say("read: the book is not built yet; building it")
        build_book(root)
    server = open_server(html, port)
    say(f"read: the book is at http://127.0.0.1:{server.server_address[1]}/  (Ctrl-C stops)")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        say("")
    finally:
        server.server_close()


# ---------------------------------------------------------------- cleaning


def clean(root: Path = ROOT, everything: bool = False) -> None:
    """Remove what was built, and with ``everything`` what was set up; never a learner's labs."""
    made = ["_build", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"]
    if everything:
        made += [".venv", ".venv-bench", "node_modules", "serverless_by_experiment.egg-info"]
    for name in made:
        if (root / name).exists():
            say(f"clean: removing {name}")
            shutil.rmtree(root / name)
