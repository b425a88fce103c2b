"""How long an idle application stays loaded: the hybrid histogram policy.

Source: M. Shahrad et al., Serverless in the Wild, USENIX ATC 2020, section 4. May import: the
standard library and `simulations`' checks.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulations._check import between, not_negative, positive, whole


@dataclass(frozen=True)
class HybridHistogram:
    """Learn from each application's own idle times when to unload it and when to load it again.

    Idle times of an application fall into bins of a minute. After each run it is unloaded, and
    it is loaded again from the head of the histogram (less a margin) to its tail (more a
    margin); where the head lies in the first bin it is not unloaded at all. While the histogram
    says little - few idle times, bins about equally full, or most of them beyond the range -
    the application stays loaded for the whole range.

    Left out: for applications whose idle times mostly exceed the range, the published policy
    forecasts the next call by ARIMA; here they stay loaded for the range.

    Parameters
    ----------
    range_s, bin_s : float
        Reach of the histogram and width of a bin: four hours, a minute.
    head, tail : float
        Shares of the idle times below the head and below the tail.
    margin : float
        By which the head comes earlier and the tail later.
    least_cv : float
        Below this coefficient of variation of the bins' counts the histogram is not used.
    least : int
        Below so many idle times neither; an assumption, the paper names no number.

    Raises
    ------
    ValueError
        If a setting is not possible.

    Examples
    --------
    >>> HybridHistogram().bins
    240
    """

    range_s: float = 4 * 3600.0
    bin_s: float = 60.0
    head: float = 0.05
    tail: float = 0.99
    margin: float = 0.10
    least_cv: float = 2.0
    least: int = 5

    def __post_init__(self) -> None:
        """Check the settings."""
        positive("bin_s", self.bin_s)
        if positive("range_s", self.range_s) < self.bin_s:
            raise ValueError(
                f"range_s={self.range_s!r} is not possible: it must be at least bin_s={self.bin_s!r}"
            )
        between("head", self.head, 0, 1)
        if between("tail", self.tail, 0, 1) < self.head:
            raise ValueError(
                f"tail={self.tail!r} is not possible: it must be at least head={self.head!r}"
            )
        between("margin", self.margin, 0, 1)
        not_negative("least_cv", self.least_cv)
        whole("least", self.least, low=1)

    @property
    def bins(self) -> int:
        """How many bins there are."""
        return max(1, round(self.range_s / self.bin_s))
