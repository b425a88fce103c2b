"""A circuit breaker: after many failures a client stops calling for a while.

On Lambda the question is where its memory lives: in each execution environment, or in one place
for all. May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from simulations._check import between, positive, whole

SCOPES = ("environment", "state", "shared")

#: Whether a call may go out: not at all, as usual, or as a probe.
REFUSED, USUAL, PROBE = 0, 1, 2


@dataclass(frozen=True)
class Breaker:
    """When a circuit opens, for how long, and who shares it.

    It opens when, of the last `window` calls, a share of at least `failure_share` failed.
    While open it refuses every call. After `open_s` it lets `probes` calls pass: if fewer
    than `failure_share` of them fail, it closes, else it opens again.

    The defaults are those of Powertools for AWS Lambda (Python), a number of consecutive
    failures and one probe; resilience4j's are `window=100, failure_share=0.5, open_s=60,
    probes=10`.

    Parameters
    ----------
    window : int
        How many calls are remembered; fewer never open the circuit.
    failure_share : float
        Of these, the failed share that opens it (above 0, to 1).
    open_s : float
        How long it stays open.
    probes : int
        How many calls try whether all is well again.
    scope : {"environment", "state", "shared"}
        Each execution environment on its own; counting on its own with one state for all, as
        Powertools does through DynamoDB; or one count and one state for all.
    only_retries : bool
        Whether an open circuit stops retries alone and lets first tries pass.

    Reading a shared state takes no time here; with DynamoDB it takes a few milliseconds.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> Breaker(window=20, failure_share=0.5, scope="shared").open_s
    30.0
    """

    window: int = 5
    failure_share: float = 1.0
    open_s: float = 30.0
    probes: int = 1
    scope: str = "environment"
    only_retries: bool = False

    def __post_init__(self) -> None:
        whole("window", self.window, 1)
        between("failure_share", self.failure_share, 0, 1)
        positive("failure_share", self.failure_share)
        positive("open_s", self.open_s)
        whole("probes", self.probes, 1)
        if self.scope not in SCOPES:
            raise ValueError(f"scope={self.scope!r} is none of {', '.join(SCOPES)}")


class Gate:
    """The state of a circuit: closed, open, or half open while probes are out."""

    __slots__ = ("_failed", "_probes", "_sent", "_settings", "_told", "opened", "reopens_s")

    def __init__(self, settings: Breaker) -> None:
        self._settings = settings
        #: When probes may go out; None while closed.
        self.reopens_s: float | None = None
        self.opened = 0
        self._sent = self._told = self._failed = 0

    @property
    def is_closed(self) -> bool:
        """Whether calls pass as usual."""
        return self.reopens_s is None

    def open(self, now_s: float) -> None:
        """Refuse every call from now on."""
        self.reopens_s = now_s + self._settings.open_s
        self.opened += 1
        self._sent = self._told = self._failed = 0

    def ask(self, now_s: float) -> int:
        """`USUAL`, `PROBE` or `REFUSED` for a call that would begin now."""
        if self.reopens_s is None:
            return USUAL
        if now_s < self.reopens_s or self._sent == self._settings.probes:
            return REFUSED
        self._sent += 1
        return PROBE

    def probed(self, ok: bool, now_s: float) -> bool:
        """A probe has its answer; whether the circuit is closed by it."""
        self._told += 1
        self._failed += not ok
        probes = self._settings.probes
        if self._failed >= self._settings.failure_share * probes:
            self.open(now_s)
        elif self._told == probes:
            self.reopens_s = None
            return True
        return False


class Circuit:
    """A gate, and the memory of the last calls that decides when it opens."""

    __slots__ = ("_last", "gate", "settings")

    def __init__(self, settings: Breaker, gate: Gate) -> None:
        self.settings = settings
        self._last: deque[bool] = deque(maxlen=settings.window)
        self.gate = gate

    def answered(self, ok: bool, kind: int, now_s: float) -> None:
        """A call that was let pass has its answer, or its time is up."""
        gate, settings = self.gate, self.settings
        if kind == PROBE:
            if gate.probed(ok, now_s):
                self._last.clear()
            return
        self._last.append(not ok)
        is_full = len(self._last) == settings.window
        if gate.is_closed and is_full:
            failed = sum(self._last)
            if failed >= settings.failure_share * settings.window:
                self._last.clear()
                gate.open(now_s)


class Circuits:
    """The circuits of one client: one for all, or one for each execution environment.

    Attributes
    ----------
    opened : int
        How often a circuit opened.
    """

    def __init__(self, settings: Breaker) -> None:
        self.settings = settings
        self._one_gate = None if settings.scope == "environment" else Gate(settings)
        self._gates: list[Gate] = [] if self._one_gate is None else [self._one_gate]
        self._circuits: dict[int, Circuit] = {}

    def of(self, environment: int) -> Circuit:
        """The circuit that a call from this execution environment goes through."""
        if self.settings.scope == "shared":
            environment = -1
        found = self._circuits.get(environment)
        if found is None:
            gate = self._one_gate
            if gate is None:
                gate = Gate(self.settings)
                self._gates.append(gate)
            found = self._circuits[environment] = Circuit(self.settings, gate)
        return found

    @property
    def opened(self) -> int:
        """How often a circuit opened."""
        return sum(gate.opened for gate in self._gates)
