"""A table as an AWS SDK's client sees it: throttles and failures are tried again.

May import: this room's `client`, `sdk`, `table` and `table_calls`, and `simulations.clock` and
`.simulation`.
"""

from __future__ import annotations

from typing import Any

from simulations.clock import Caller, Step
from simulations.services.client import Client
from simulations.services.sdk import sdk_retries
from simulations.services.table import Table
from simulations.services.table_calls import Operations
from simulations.simulation import Simulation


class TableClient(Client, Operations):
    """Calls a table as a handler would through boto3.

    Each try is a request of its own, with its own units and its own span. Like any client made
    in a handler, it is one for each execution environment, with a retry quota of its own.

    Parameters
    ----------
    table : Table
        What it calls.
    settings
        As for `Client`; those of an SDK's DynamoDB client (`sdk_retries`) where not given.

    Examples
    --------
    >>> from simulations import Function, ProvisionedCapacity, Regular, Sized
    >>> sim = Simulation(seed=1)
    >>> small = ProvisionedCapacity(reads=1, writes=10, full_burst=False)
    >>> orders = Table(sim, "orders", capacity=small)
    >>> client = TableClient(sim, "boto3", orders)
    >>> def place(number, context):
    ...     yield client.put(Sized(number, 600))
    >>> trace = sim.run(Regular(0.08) >> Function(sim, "Place", place), duration_s=30)
    >>> orders.throttled > 0, len(orders) == trace.requests.outcomes()["ok"]
    (True, True)
    """

    def __init__(self, sim: Simulation, name: str, table: Table, **settings: Any) -> None:
        if not isinstance(table, Table):
            raise ValueError(f"table={table!r} is no Table")
        super().__init__(sim, name, table, **{**sdk_retries(dynamodb=True), **settings})

    def accept(self, body: Any, /, caller: Caller | None = None) -> Step:
        """Call with one operation; the environment whose handler calls has a client of its own."""
        whose = self.sim.active if caller is None else caller
        return self._begin(body, caller, getattr(whose, "environment", -1))
