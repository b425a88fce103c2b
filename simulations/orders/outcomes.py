"""What became of the orders: read from a trace of any architecture.

May import: the standard library and `simulations.trace`.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulations.orders.shop import PAYMENTS
from simulations.trace import NAN, Column, Trace


@dataclass(frozen=True)
class Outcomes:
    """Counts over all orders of a run, and times.

    Attributes
    ----------
    orders : int
        Orders submitted.
    confirmed, declined : int
        How many ended each way.
    told_no : int
        Orders whose customer was answered with an error or "declined" at once.
    late_rejections : int
        Orders that were accepted at first and declined later.
    lost : int
        Orders neither confirmed nor declined at the end.
    charged_not_confirmed : int
        Lost orders whose payment went through.
    double_charged : int
        Orders charged twice or more; `surplus_charges` counts the charges too many.
    answer_s, confirmed_s : Column
        Seconds to the answer the customer waits for, and to the confirmation.
    """

    orders: int
    confirmed: int
    declined: int
    told_no: int
    late_rejections: int
    lost: int
    charged_not_confirmed: int
    double_charged: int
    surplus_charges: int
    answer_s: Column
    confirmed_s: Column


def outcomes(trace: Trace) -> Outcomes:
    """Read the outcomes of the order system from its trace."""
    code = trace.code
    spans = trace.spans
    book, payments = code("orders"), code(PAYMENTS)
    confirmed_code, declined_code = code("confirmed"), code("declined")
    charges: dict[int, int] = {}
    ended: dict[int, tuple[int, float]] = {}
    for component, request, outcome, end_s, units in zip(
        spans.component, spans.request, spans.outcome, spans.end_s, spans.units, strict=True
    ):
        if component == payments:
            charges[request] = charges.get(request, 0) + int(units)
        elif component == book:
            ended[request] = (outcome, end_s)
    requests = trace.requests
    warmup_s = trace.header["warmup_s"]
    accepted_code, ok_codes = code("accepted"), {code("accepted"), confirmed_code}
    confirmed_s = Column("d")
    confirmed = declined = told_no = late = lost = lost_charged = double = surplus = 0
    for request, start_s, outcome in zip(
        requests.id, requests.start_s, requests.outcome, strict=True
    ):
        how, end_s = ended.get(request, (-1, NAN))
        paid = charges.get(request, 0)
        if outcome not in ok_codes:
            told_no += 1
        if how == confirmed_code:
            confirmed += 1
            if start_s >= warmup_s:
                confirmed_s.append(end_s - start_s)
        elif how == declined_code:
            declined += 1
            late += outcome == accepted_code
        else:
            lost += 1
            lost_charged += paid > 0
        if how != declined_code and paid > 1:
            double += 1
            surplus += paid - 1
    return Outcomes(
        orders=len(requests),
        confirmed=confirmed,
        declined=declined,
        told_no=told_no,
        late_rejections=late,
        lost=lost,
        charged_not_confirmed=lost_charged,
        double_charged=double,
        surplus_charges=surplus,
        answer_s=requests.latency_s,
        confirmed_s=confirmed_s,
    )
