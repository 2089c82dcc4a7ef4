"""What a distribution has to be, for the tests of the virtual cameras: goodness of fit at fixed seeds.

A fit is refused below a p-value of 1 %. The seeds are fixed, so what passes today passes tomorrow; a wrong bound, sd or
share is far outside with the thousands of draws that are taken.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

LEAST_P = 0.01


def is_uniform(values: Sequence[float], low: float, high: float) -> None:
    """Between both bounds, all alike."""
    assert low <= min(values)
    assert max(values) <= high
    assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > LEAST_P


def is_log_uniform(values: Sequence[float], low: float, high: float) -> None:
    """Its logarithm is uniform."""
    is_uniform(np.log(values).tolist(), float(np.log(low)), float(np.log(high)))


def is_normal(values: Sequence[float], mean: float, sd: float) -> None:
    """Normal, with this mean and standard deviation."""
    assert stats.kstest(values, stats.norm(mean, sd).cdf).pvalue > LEAST_P


def is_share(hits: Sequence[bool], share: float) -> None:
    """As many hits as this share of all gives."""
    assert stats.binomtest(int(np.sum(hits)), len(hits), share).pvalue > LEAST_P
