"""Matrices between primaries against colour-science."""

import colour
import numpy as np
import pytest

from sdr2hdr.color.primaries import between, to_xyz
from sdr2hdr.color.tables import table

SPACES = ["ITU-R BT.2020", "ITU-R BT.709", "P3-D65", "ACEScg", "ACES2065-1", "ProPhoto RGB"]


def chromaticities(name: str) -> np.ndarray:
    space = colour.RGB_COLOURSPACES[name]
    return np.concatenate([space.primaries.ravel(), space.whitepoint])


@pytest.mark.parametrize("source", SPACES)
@pytest.mark.parametrize("target", SPACES[:2])
def test_as_colour_science_says(source: str, target: str) -> None:
    ours = between(chromaticities(source), chromaticities(target))
    theirs = colour.matrix_RGB_to_RGB(
        colour.RGB_COLOURSPACES[source], colour.RGB_COLOURSPACES[target], "Bradford"
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-3)  # their spaces hold rounded matrices


def test_white_stays_white() -> None:
    matrix = between(chromaticities("ACEScg"), table("chromaticities_bt2020"))
    np.testing.assert_allclose(matrix.sum(1), 1, atol=1e-12)


def test_primaries_on_a_line_are_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        to_xyz(np.array([0.1, 0.1, 0.2, 0.2, 0.4, 0.4, 0.3127, 0.3290]))
