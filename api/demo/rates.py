"""Published rates that the sample ledger is calibrated on, each with its source."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

# US Energy Information Administration, Form EIA-112, 2024 Residential Utility Disconnections Report
# (April 2026), electric, all states and months of 2024. Works of the US government, public domain.
EIA_FINAL_NOTICES = 94_870_710
EIA_DISCONNECTIONS = 13_447_936
EIA_RECONNECTIONS = 11_370_551

DISCONNECTED_PER_NOTICE = Fraction(EIA_DISCONNECTIONS, EIA_FINAL_NOTICES)
"""14.2 %: how many final notices end in a disconnection."""

RECONNECTED_PER_DISCONNECTION = Fraction(EIA_RECONNECTIONS, EIA_DISCONNECTIONS)
"""84.6 %: how many disconnections are followed by a reconnection."""

# IBM Watson Analytics sample, "Finance Factoring: IBM Late Payment Histories": 2,466 invoices of business
# customers, 30 days net, 2012 and 2013. A vendor's sample, so an orientation and not a measurement.
IBM_INVOICES = 2_466
IBM_LATER_THAN = {0: 877, 3: 700, 7: 458, 10: 338, 14: 196, 21: 67, 28: 16, 30: 8, 44: 1}
"""Invoices settled more than so many days after the due date: 35.6 % late at all."""


def quota(total: int, share: Fraction) -> int:
    """Return the whole number of cases out of `total` that comes nearest to a share, half up."""
    return int(total * share + Fraction(1, 2))


def days_late(draw: Fraction, at_most: int) -> int:
    """Return how late a late payer is, 1 to `at_most` days, spread as the IBM invoices are.

    `draw` is in [0, 1); between the published points the spread is even.
    """
    points = sorted(IBM_LATER_THAN.items())
    late = IBM_LATER_THAN[0]
    cut = next((IBM_LATER_THAN[day] for day, _ in points if day >= at_most), 0)
    wanted = late - draw * (late - cut)
    for (low, above), (high, below) in pairwise(points):
        if below <= wanted:
            within = (above - wanted) / (above - below)
            return min(at_most, low + 1 + int(within * (high - low)))
    return at_most
