"""Measured, recovered, invented: against a naive loop, and what the nets may have touched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sdr2hdr.inspection.origin import INVENTED, MEASURED, NAMES, RECOVERED, classify, shares
from sdr2hdr.mask import CLIPPED_SIGNAL

EDGES = [0.0, 0.5, 0.85, 0.9, 0.93, 0.9499, 0.95, 0.96, 0.995, 1.0]


def naive(pixel: list[float], tau: float) -> int:
    if all(value <= tau for value in pixel):
        return MEASURED
    return (
        INVENTED if all(value >= np.float32(CLIPPED_SIGNAL) and value > tau for value in pixel) else RECOVERED
    )


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.just(3), st.integers(1, 5), st.integers(1, 6)),
        elements=st.sampled_from(EDGES),
    ),
    st.sampled_from([0.75, 0.85, 0.9, 0.93, 0.96, 0.995]),
)
@settings(max_examples=80, deadline=None)
def test_against_a_loop(signal: np.ndarray, tau: float) -> None:
    tau = float(np.float32(tau))
    classes = classify(signal, tau)
    for row, column in np.ndindex(classes.shape):
        assert classes[row, column] == naive([float(v) for v in signal[:, row, column]], tau)
    found = shares(classes)
    assert list(found) == list(NAMES)
    assert sum(found.values()) == pytest.approx(1, abs=1e-12)


def test_any_strides() -> None:
    signal = np.random.default_rng(0).random((40, 50, 3)).astype(np.float32).transpose(2, 1, 0)
    np.testing.assert_array_equal(classify(signal, 0.9), classify(np.ascontiguousarray(signal), 0.9))


def test_invented_means_that_all_channels_are_clipped() -> None:
    signal = np.random.default_rng(0).choice(np.float32(EDGES), (3, 100, 100))
    invented = classify(signal, 0.85) == INVENTED
    assert invented.any()
    assert (signal.min(0)[invented] >= np.float32(CLIPPED_SIGNAL)).all()
    assert (signal.max(0)[~invented] < 1).any()
