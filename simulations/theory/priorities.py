"""Urgent requests first: one server whose queue is kept by class.

Source: A. Cobham, Priority assignment in waiting line problems, Operations Research 2 (1954).

May import: the standard library and `simulations._check`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from simulations._check import not_negative, positive


class PriorityClass(NamedTuple):
    """Requests of one urgency."""

    arrival_rate: float
    mean_service: float
    cv2: float = 1.0
    """Squared coefficient of variation of the service."""


def mg1_priority_waits(classes: Sequence[PriorityClass]) -> list[float]:
    """Return the mean wait in the queue of each class, most urgent first (M/G/1, Cobham).

    Non-preemptive: who is in service is finished first. Formula:
    W_k = R / ((1 - s_{k-1}) (1 - s_k)), R = sum of lambda E[S^2] / 2 over all classes, s_k the
    load of classes 1 to k.

    Whatever the order, sum of load times wait stays the same (Kleinrock's conservation law).

    Raises
    ------
    ValueError
        If there is no class, or the whole load is not below 1.

    >>> urgent, patient = PriorityClass(0.2, 1.0), PriorityClass(0.5, 1.0)
    >>> [round(wait, 6) for wait in mg1_priority_waits([urgent, patient])]
    [0.875, 2.916667]
    """
    if not classes:
        raise ValueError("classes is empty: give at least one PriorityClass")
    loads, second = [], []
    for k, one in enumerate(classes):
        rate = positive(f"classes[{k}].arrival_rate", one.arrival_rate)
        mean = positive(f"classes[{k}].mean_service", one.mean_service)
        loads.append(rate * mean)
        second.append(rate * mean**2 * (1 + not_negative(f"classes[{k}].cv2", one.cv2)))
    if math.fsum(loads) >= 1:
        raise ValueError(
            f"classes={list(classes)!r} is unstable: the load of all together, "
            f"{math.fsum(loads):g}, must be below 1"
        )
    residual = math.fsum(second) / 2
    waits, above = [], 0.0
    for load in loads:
        upto = above + load
        waits.append(residual / ((1 - above) * (1 - upto)))
        above = upto
    return waits
