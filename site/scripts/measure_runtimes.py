"""What a language costs on this machine: INIT and invocations of one handler, and one hot loop.

The shop's handler runs in the local Lambda runtime in every language whose tools are found; the
loop (a sieve of primes) runs alone. Run by ``make measure NAME=runtimes``. May import: the
standard library and `simulations`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure_packages import scheduling

from simulations.aws.languages import HANDLERS, JAVA_OPTIONS, LANGUAGES, Language
from simulations.aws.runtime import LocalRuntime
from simulations.services.package import zip_of
from simulations.stats import quantile, quantile_interval

ROUNDS = 21
WARM_UP, WARM = 200, 200
LIMIT, RUNS, TRIES = 1_000_000, 9, 5
MEMORY_MB = 512
ORDER = {"order": "17", "items": [{"quantity": 2, "price_cents": 950}]}
ANSWER = {"order": "17", "accepted": True, "total_cents": 1900}
KERNELS = HANDLERS / "local" / "kernel"
TOOLS = {
    "node": ["node", "--version"],
    "ruby": ["ruby", "--version"],
    "java": ["java", "--version"],
    "javac": ["javac", "--version"],
    "go": ["go", "version"],
    "dotnet": ["dotnet", "--version"],
}


def spread(values: list[float]) -> dict[str, float]:
    """Median with its 95 % interval, and the fastest."""
    _, low, high = quantile_interval(values, 0.5)
    numbers = {"median": quantile(values, 0.5), "low": low, "high": high, "best": min(values)}
    return {name: round(value, 2) for name, value in numbers.items()}


def called(runtime: LocalRuntime) -> Any:
    """Invoke with the order and insist on the right answer."""
    outcome = runtime.invoke(ORDER)
    if outcome.payload != ANSWER:
        raise RuntimeError(f"wrong answer: {outcome}")
    return outcome


def build_kernels(made: Path, here: list[Language]) -> None:
    """Compile the loop where a language needs it."""
    if any(one.name == "Java" for one in here):
        subprocess.run(["javac", "-d", made, KERNELS / "Kernel.java"], check=True)
    if any(one.name == "Go" for one in here):
        subprocess.run(["go", "build", "-o", made / "kernel", KERNELS / "kernel.go"], check=True)


def kernel_ms(language: Language, folder: Path) -> float:
    """The fastest of several runs of the loop, in milliseconds, in a process of its own."""
    command: dict[str, list[str | Path]] = {
        "Python": [sys.executable, KERNELS / "kernel.py"],
        "Node.js": ["node", KERNELS / "kernel.mjs"],
        "Ruby": ["ruby", KERNELS / "kernel.rb"],
        "Java": ["java", *JAVA_OPTIONS, "-cp", folder, "Kernel"],
        "Go": [folder / "kernel"],
    }
    done = subprocess.run(
        [*command[language.name], str(LIMIT), str(RUNS)], capture_output=True, text=True, check=True
    )
    count, best = done.stdout.split()
    if int(count) != 78_498:  # primes below a million
        raise RuntimeError(f"{language.name} counts {count} primes below {LIMIT}")
    return float(best)


def measure() -> dict[str, Any]:
    """Run every language in turns, so that a slow minute of the machine hits all alike."""
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as made:
        built = {
            one.name: one.build(Path(made, one.folder))
            for one in LANGUAGES
            if one.version() is not None
        }
        here = [one for one in LANGUAGES if one.name in built]
        init: dict[str, list[float]] = {one.name: [] for one in here}
        first: dict[str, list[float]] = {one.name: [] for one in here}
        build_kernels(Path(made), here)
        loops = {one.name: min(kernel_ms(one, Path(made)) for _ in range(TRIES)) for one in here}
        for _ in range(ROUNDS):
            for one in here:
                with one.start(built[one.name], MEMORY_MB) as runtime:
                    report = called(runtime).report
                    init[one.name].append(report.init_ms or 0.0)
                    first[one.name].append(report.duration_ms)
        for one in LANGUAGES:
            entry: dict[str, Any] = {"language": one.name, "run": one in here}
            if one in here:
                with one.start(built[one.name], MEMORY_MB) as runtime:
                    reports = [called(runtime).report for _ in range(WARM_UP + WARM)]
                files = {
                    str(path.relative_to(built[one.name])): path.read_bytes()
                    for path in built[one.name].rglob("*")
                    if path.is_file() and path.stem != "Bootstrap" and "$" not in path.name
                }
                entry |= {
                    "version": one.version(),
                    "init_ms": spread(init[one.name]),
                    "first_ms": spread(first[one.name]),
                    "warm_ms": spread([report.duration_ms for report in reports[WARM_UP:]]),
                    "memory_mb": max(report.max_memory_mb or 0 for report in reports),
                    "zip_bytes": len(zip_of(files)),
                    "kernel_ms": round(loops[one.name], 2),
                }
            found.append(entry)
    return {
        "about": "the shop's handler in the local Lambda runtime; no share of the processor by "
        "memory, loops of ours in place of Lambda's runtime clients",
        "scheduling": scheduling(),
        "environments": ROUNDS,
        "warm_calls": WARM,
        "primes_below": LIMIT,
        "languages": [*found, {"language": "C#", "run": False}],
    }
