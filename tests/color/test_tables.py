"""The tables that were kept are those that the installed colour-science computes."""

import numpy as np
import pytest

from sdr2hdr.color import tables

MATRICES = ["bt709_to_bt2020", "bt2020_to_bt709", "bt2020_to_p3", "bt2020_to_acescg", "bt2020_to_xyz"]


def test_every_table_is_what_colour_science_computes() -> None:
    computed = tables.compute()
    with np.load(tables.FILE) as kept:
        assert sorted(kept) == sorted(computed)
    for name, value in computed.items():
        np.testing.assert_allclose(tables.table(name), value, rtol=0, atol=1e-12, err_msg=name)


def test_constants_of_pq() -> None:
    """SMPTE ST 2084, 5.2, as the fractions that are printed there."""
    printed = [2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32]
    np.testing.assert_allclose(tables.table("pq"), printed, rtol=1e-12)


@pytest.mark.parametrize("name", MATRICES)
def test_white_stays_white(name: str) -> None:
    """D65 to D65 keeps (1, 1, 1); so does the adaptation to ACEScg's D60; XYZ gets D65's Y = 1."""
    white = tables.table(name) @ np.ones(3)
    expected = [0.950456, 1, 1.089058] if name == "bt2020_to_xyz" else [1, 1, 1]
    np.testing.assert_allclose(white, expected, atol=5e-4)


def test_unknown_tables() -> None:
    with pytest.raises(KeyError):
        tables.table("bt601")
