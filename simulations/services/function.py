"""A Lambda function: execution environments, cold and warm, limits, timeout.

What an invocation does stands in `invocation` and, where an account, provisioned concurrency,
SnapStart or a stream plays a part, in `managed`. May import: the standard library, SimPy,
`simulations.workload`, `.clock`, `.simulation` and this room's files about functions.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from inspect import isgeneratorfunction
from typing import Any

from simulations.clock import ARRIVAL, Caller, Deadlines
from simulations.facts import fact
from simulations.services.account import CONCURRENCY, REQUESTS, SCALING, Account, Bucket, Pool
from simulations.services.environments import Environment, idle_pool
from simulations.services.invocation import FunctionError, Invocation, Throttled, TimedOut
from simulations.services.keep_alive import keep_alive
from simulations.services.managed import Managed, Payload, Shared, SharedEnvironment, SnapStart
from simulations.services.provisioned import Provisioned, Ready
from simulations.services.settings import EXTENSIONS, check_basics, check_shared, check_together
from simulations.simulation import Component, Simulation
from simulations.trace import NAN
from simulations.workload import Constant, Distribution, as_distribution

__all__ = ["Function", "FunctionError", "Invocation", "Throttled", "TimedOut"]


class Function(Component):
    """A Lambda function.

    Parameters
    ----------
    sim : Simulation
        Where it lives.
    name : str
        Its name in the trace.
    handler : callable
        `handler(event, context)`; a generator whose yields are where time passes.
    memory_mb, timeout_s : number
        As on Lambda; ranges from the facts `lambda.memory` and `lambda.timeout`.
    architecture : {"x86_64", "arm64"}
        For the bill.
    reserved_concurrency : int, optional
        At most so many invocations at once, those in INIT included; more are throttled. Without
        it there is no limit.
    keep_alive_s : float or Distribution, optional
        How long an idle environment is kept. By default as measured in 2025; the logs of 2020
        want `keep_alive(2020)`.
    init_s : float or Distribution
        INIT of a new environment, billed since 2025-08-01 (fact `lambda.price.init_billing`);
        outside the timeout. One that would take longer than 10 s is stopped then and run again
        inside the first invocation, under the function's timeout (fact `lambda.init`).
    sandbox_s : float or Distribution
        What comes before INIT and is not billed: finding a place, fetching the code.
    invoke_s : float or Distribution
        From a caller inside AWS to the handler: network and Lambda's front door.
    routing : str
        Which idle environment serves next: `most_recent` (as AWS does in the recorded logs),
        `newest`, `oldest`, `least_recent` or `random`.
    account : Account, optional
        Whose concurrency and rates it shares; without one there are no such limits.
    version : int, optional
        A published version; without it, $LATEST.
    version_of : Function, optional
        The function of which this is a version: they share reserved concurrency and the scaling
        rate.
    provisioned_concurrency : int or Provisioned, optional
        Environments kept ready; what they cannot take runs on demand (fact `lambda.pc.spill`).
    snapstart : SnapStart, optional
        New environments are restored, which takes the place of `init_s`.
    extensions : {"internal", "external"}, optional
        Lets an environment that ends live on for its shutdown, 0.5 or 2 s (fact
        `lambda.shutdown`).
    lifetime_s : float or Distribution, optional
        Longest life of an environment, busy or not: past it, the next invocation gets another.
        AWS documents that it ends environments every few hours; none in the logs of 2020 lived
        much longer than two. Without it there is no such limit.
    requests_per_environment : int
        Above 1, an environment serves so many at once (Managed Instances, fact `lambda.lmi`;
        web functions). They do not slow each other down here.
    payload : Payload, optional
        Sizes of events and responses, and whether responses are streamed.

    Attributes
    ----------
    invocations, cold, throttled : int
        Counts since the start of the run; throttled ones are no invocations.
    throttled_by : dict
        How often each limit of the account throttled, by its name.
    provisioned : Ready or None
        The provisioned environments: how many there are, served, spilled over.

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> from simulations import Poisson
    >>> def handler(event, context):
    ...     yield context.compute(ms=100)
    >>> sim = Simulation(seed=1)
    >>> hourly = Function(sim, "Hourly", handler, keep_alive_s=600, init_s=0.3)
    >>> trace = sim.run(Poisson(rate_per_s=1 / 3600) >> hourly, duration_s=7.2e7)
    >>> round(hourly.cold / hourly.invocations, 2)      # theory: exp(-600 / 3600) = 0.846
    0.85
    """

    def __init__(
        self,
        sim: Simulation,
        name: str,
        handler: Callable[..., Any],
        *,
        memory_mb: int = 128,
        timeout_s: float = 3.0,
        architecture: str = "x86_64",
        reserved_concurrency: int | None = None,
        keep_alive_s: float | Distribution | None = None,
        init_s: float | Distribution = 0.0,
        sandbox_s: float | Distribution = 0.0,
        invoke_s: float | Distribution = 0.0,
        routing: str = "most_recent",
        account: Account | None = None,
        version: int | None = None,
        version_of: Function | None = None,
        provisioned_concurrency: int | Provisioned | None = None,
        snapstart: SnapStart | None = None,
        extensions: str | None = None,
        lifetime_s: float | Distribution | None = None,
        requests_per_environment: int = 1,
        payload: Payload | None = None,
    ) -> None:
        if not callable(handler):
            raise ValueError(f"handler={handler!r} cannot be called with (event, context)")
        if architecture not in ("x86_64", "arm64"):
            raise ValueError(f"architecture={architecture!r} is neither 'x86_64' nor 'arm64'")
        if extensions not in EXTENSIONS:
            raise ValueError(f"extensions={extensions!r} is neither 'internal' nor 'external'")
        check_basics(memory_mb, timeout_s, reserved_concurrency)
        kept = as_distribution(keep_alive() if keep_alive_s is None else keep_alive_s)
        init, sandbox = as_distribution(init_s), as_distribution(sandbox_s)
        hop = as_distribution(invoke_s)
        life = None if lifetime_s is None else as_distribution(lifetime_s)
        plan = provisioned_concurrency
        if plan is not None and not isinstance(plan, Provisioned):
            plan = Provisioned(plan)
        if version_of is not None and version is None:
            version = len(version_of._versions) + 1
        check_together(
            version=version, provisioned=plan, snapstart=snapstart, init=init,
            is_version_of_other=version_of is not None, timeout_s=timeout_s,
            has_own_concurrency=account is not None or reserved_concurrency is not None,
        )  # fmt: skip
        check_shared(
            requests_per_environment, memory_mb, payload,
            {
                "account": account is not None, "version_of": version_of is not None,
                "provisioned_concurrency": plan is not None, "snapstart": snapstart is not None,
            },
        )  # fmt: skip
        self._same_keep_alive = isinstance(kept, Constant) and life is None
        self._shortest_keep_alive_s = kept.quantile(0.0)
        self._idle = idle_pool(
            routing, self._ended, self._settle, self._choose, self._same_keep_alive
        )
        extras = {
            "version": version,
            "provisioned_concurrency": plan and plan.environments,
            "snapstart": snapstart and ("free" if snapstart.free else "billed"),
            "lifetime_s": life,
            "streamed_mb": payload and payload.streamed and payload.response_mb,
        }
        if requests_per_environment > 1:
            extras["requests_per_environment"] = requests_per_environment
        super().__init__(
            sim,
            name,
            memory_mb=memory_mb,
            timeout_s=float(timeout_s),
            architecture=architecture,
            reserved_concurrency=reserved_concurrency,
            keep_alive_s=kept,
            init_s=init,
            sandbox_s=sandbox,
            invoke_s=hop,
            routing=routing,
            init_billed=True,
            **{key: value for key, value in extras.items() if value},
        )
        self.handler = handler
        self._is_generator = isgeneratorfunction(handler)
        self.memory_mb = int(memory_mb)
        self.timeout_s = float(timeout_s)
        self.reserved_concurrency = reserved_concurrency
        self.version = version
        self.snapstart = snapstart
        self.requests_per_environment = int(requests_per_environment)
        self.stream_s = payload.stream_s if payload is not None else 0.0
        self.invocations = 0
        self.cold = 0
        self.throttled = 0
        self.throttled_by = {CONCURRENCY: 0, REQUESTS: 0, SCALING: 0}
        self.provisioned: Ready | None = None
        self._keep_alive = sim.times(name + " keep-alive", kept)
        self._init = sim.times(name + " init", init)
        self._sandbox = sim.times(name + " sandbox", sandbox)
        self._hop = sim.times(name + " invoke", hop)
        self._lifetime = sim.times(name + " lifetime", life) if life is not None else None
        if snapstart is not None:
            self._restore = sim.times(name + " restore", as_distribution(snapstart.restore_s))
            self._hooks = sim.times(name + " hooks", as_distribution(snapstart.hooks_s))
        self._shutdown_s = fact("lambda.shutdown")[EXTENSIONS[extensions]] / 1000.0
        self._hop_s = hop.value if isinstance(hop, Constant) else None
        self._clock = sim.clock
        self._route = sim.draws(name + " routing")
        self._created = 0
        self._choices = 0
        self._deadlines = Deadlines(sim.clock, self.timeout_s, Invocation.time_out)
        self._room: dict[int, SharedEnvironment] = {}
        self._versions: list[Function] = []
        code = sim.trace.code
        self._operation, self._ok = code("invoke"), code("ok")
        self._kind: type[Invocation] = Invocation
        self._environment: type[Environment] = Environment
        self._release = self._keep if life is None else self._keep_or_retire
        self._keeps = life is None
        self._take, self._put = self._idle.take, self._idle.put
        self._note = sim.trace.spans.append
        self.init_limit_s = float(fact("lambda.init")["on_demand_s"])
        if requests_per_environment > 1:
            self._kind, self._environment = Shared, SharedEnvironment
        self._take_share(account, version_of, plan)

    def _take_share(
        self, account: Account | None, version_of: Function | None, plan: Provisioned | None
    ) -> None:
        """Find the pool, the scaling rate and the environments kept ready."""
        self.account = account
        self._pool: Pool | None = None
        self._scaling: Bucket | None = None
        reserved = self.reserved_concurrency
        if version_of is not None:
            version_of._share()
            version_of._versions.append(self)
            self.account, self._pool = version_of.account, version_of._pool
            self._scaling = version_of._scaling
            reserved = version_of.reserved_concurrency
        elif account is not None:
            self._scaling = account.scaling_rate()
            self._pool = account.unreserved
            if reserved is not None:
                self._pool = account.reserve(self.name, reserved)
        if plan is not None or self._pool is not None or self.stream_s or self.snapstart:
            self._share()
        if plan is not None:
            limit = self.account if reserved is None else self._pool
            if limit is not None:
                limit.provision(self.name, plan.most)
            self.provisioned = Ready(self, plan)

    def _share(self) -> None:
        """Count invocations in a pool, which versions can share."""
        if self._pool is None and self.reserved_concurrency is not None:
            self._pool = Pool(self.reserved_concurrency, with_rate=False)
        self._kind = Managed

    def invoke(self, event: Any, caller: Caller | None = None) -> Invocation:
        """Run the handler with `event` and wait for what it returns.

        Raises
        ------
        Throttled, TimedOut, FunctionError
            At the yield.
        """
        kind = self._kind
        run = kind(self, event, caller)
        hop_s = self._hop_s
        if hop_s == 0.0:
            run.arrive(None)
        else:
            if hop_s is None:
                whose = run.request if run.request >= 0 else run.span
                hop_s = self._hop(whose, run.attempt)
            clock = self._clock
            entry = (run.queued_s + hop_s, ARRIVAL, next(clock._eid), (run.arrive,), None)
            heappush(clock._queue, entry)
        return run

    accept = invoke

    def _choose(self) -> float:
        self._choices += 1
        return self._route(self._choices)

    def _new_environment(self) -> Environment:
        environment = self._environment(self._created, self.sim.clock._now)
        self._created += 1
        if self._lifetime is not None:
            environment.retires_s = environment.created_s + self._lifetime(environment.number)
        return environment

    def _ended(self, environment: Environment, at_s: float | None = None) -> None:
        self.sim.trace.environments.append(
            (
                self.code,
                environment.number,
                environment.created_s,
                (environment.expires_s if at_s is None else at_s) + self._shutdown_s,
                environment.busy_s,
            )
        )

    def _keep(self, environment: Environment) -> None:
        environment.idle_s = now_s = self._clock._now
        environment.expires_s = now_s + self._shortest_keep_alive_s
        self._put(environment)

    def _keep_or_retire(self, environment: Environment) -> None:
        now_s = self.sim.clock._now
        if environment.retires_s <= now_s:
            self._ended(environment, now_s)
            return
        environment.idle_s = now_s
        latest_s = now_s + self._shortest_keep_alive_s
        environment.expires_s = min(latest_s, environment.retires_s)
        self._idle.put(environment)

    def _settle(self, environment: Environment) -> float:
        """When an idle environment expires: drawn now, once it has been idle that long."""
        if not self._same_keep_alive:
            kept_s = self._keep_alive(environment.number, environment.uses)
            environment.expires_s = min(environment.idle_s + kept_s, environment.retires_s)
        return environment.expires_s

    def _under_way(self) -> list[Invocation]:
        """The invocations that have not ended, in the order in which they came.

        Those that wait to begin are called by an entry of the clock's queue; those that run
        have a deadline. Looking for them at the end costs less than a list that is kept.
        """
        called = (call for entry in self._clock._queue for call in entry[3])
        found = {getattr(call, "__self__", None) for call in called} | set(self._deadlines.due_s)
        runs = [
            one
            for one in found
            if isinstance(one, Invocation) and one.function is self and one.is_under_way
        ]
        return sorted(runs, key=lambda run: run.span)

    def close(self) -> None:
        """Record what is under way, and the environments that live on (their end is NaN)."""
        busy: dict[int, Environment] = {}
        for run in self._under_way():
            run.record(NAN, self.sim.trace.code("unfinished"))
            if run.served_by is not None:
                busy[run.environment] = run.served_by
        for environment in busy.values():
            self._ended(environment, NAN)
        if self.provisioned is not None:
            self.provisioned.close()
        ended_s = self.sim.trace.header["ended_s"]
        for environment in sorted(self._idle.clear(), key=lambda e: e.number):
            self._ended(environment, None if self._settle(environment) <= ended_s else NAN)
