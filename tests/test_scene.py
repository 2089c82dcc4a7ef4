"""The scene look on pictures without a highlight, with the weights in the box."""

import numpy as np
import numpy.typing as npt
import pytest
from quiet_pictures import PICTURES

from sdr2hdr import Converter, Settings
from sdr2hdr.color.tables import table


@pytest.fixture(scope="module")
def converters() -> tuple[Converter, Converter]:
    """The scene look, and the direct mapping."""
    settings = {"look": "scene", "peak_nits": 10000.0, "precision": "fp32", "device": "cpu"}
    return Converter(Settings(**settings)), Converter(Settings(**settings, strength=0))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_without_highlights_is_not_expanded(
    name: str, converters: tuple[Converter, Converter]
) -> None:
    """A camera's response is undone in it, too; but white stays white, to a quarter of a stop."""
    weights = table("bt2020_to_xyz")[1]
    scene, direct = (_luminance(convert(PICTURES[name]()).light, weights) for convert in converters)
    bright = direct >= max(float(np.median(direct)), 0.05)
    change = np.log2(scene[bright] / direct[bright])
    assert change.size == 0 or np.abs(change).max() < 0.25


def _luminance(light: npt.NDArray[np.float32], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    luminance: npt.NDArray[np.float64] = np.tensordot(weights, light, 1)
    return luminance
