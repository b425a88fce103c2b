"""The units of an order's life, as a real DynamoDB Local reports them, for four ways to build.

Imports the library; run by ``make measure NAME=table_units``.
"""

from __future__ import annotations

from typing import Any

from simulations.aws.dynamodb import dynamodb_local
from simulations.aws.local import client
from simulations.aws.table_units import order_life_units
from simulations.experiments.order_table import TABLES

TOOLS = {"java": ["java", "-version"]}


def measure() -> dict[str, Any]:
    """Return the units of each table."""
    with dynamodb_local():
        dynamodb = client("dynamodb")
        return {"units": {words: order_life_units(dynamodb, one) for words, one in TABLES.items()}}
