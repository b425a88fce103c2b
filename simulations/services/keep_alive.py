"""How long an idle environment is kept: measured from outside, year by year, never documented.

May import: the standard library, `simulations.facts` and `simulations.workload`.
"""

from __future__ import annotations

from simulations.facts import fact
from simulations.workload import Constant, Distribution, Uniform

#: What Shilkov's probes found, in minutes. They are no facts of a service's documentation and
#: have no entry in the facts; the record `keep_alive_history` holds the same with addresses:
#: mikhail.io, "AWS Lambda: Cold Starts After 10 Minutes" (August 2019) and "When does cold start
#: happen on AWS Lambda?" (January 2021).
_FOUND_MIN = {2019: (10.0, 10.0), 2021: (5.0, 7.0)}

#: The years for which `keep_alive` knows a measurement.
KEEP_ALIVE_YEARS = (2019, 2020, 2021, 2025)


def keep_alive(year: int = 2025) -> Distribution:
    """How long Lambda kept an idle environment, as measured from outside in that year.

    AWS documents no figure, and it has changed. 2019: ten minutes (Shilkov, August). 2020: ten
    minutes (fact `lambda.keepalive.2020`). 2021: five to seven minutes (Shilkov, January), here
    evenly spread. 2025: evenly spread over 294 to 347 s (fact `lambda.keepalive.2025`).

    Raises
    ------
    ValueError
        If no measurement is known for the year.

    Examples
    --------
    >>> [keep_alive(year).mean for year in KEEP_ALIVE_YEARS]
    [600.0, 600, 360.0, 320.5]
    """
    if year == 2025:
        measured = fact("lambda.keepalive.2025")
        return Uniform(measured["low_s"], measured["high_s"])
    if year == 2020:
        return Constant(fact("lambda.keepalive.2020").value)
    if year not in _FOUND_MIN:
        known = ", ".join(map(str, KEEP_ALIVE_YEARS))
        raise ValueError(f"year={year!r} is not measured; there are {known}")
    low, high = (60 * minutes for minutes in _FOUND_MIN[year])
    return Constant(low) if low == high else Uniform(low, high)
