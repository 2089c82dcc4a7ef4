"""PQ TIFF files, read back by tifffile, libtiff (through Pillow and OpenCV), tiffinfo and exiftool."""

import io
from pathlib import Path

import colour
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from sdr2hdr import __version__
from sdr2hdr.errors import OutputError
from sdr2hdr.formats import EncodeOptions, _pq_tiff
from sdr2hdr.formats._pq_codes import pq_codes
from sdr2hdr.formats._pq_profile import pq_profile
from sdr2hdr.image import HdrImage

RNG = np.random.default_rng(6)
OPTIONS = EncodeOptions()


def picture(height: int, width: int, **fields: object) -> HdrImage:
    return HdrImage(RNG.random((3, height, width), dtype=np.float32) ** 4 * 49, **fields)  # type: ignore[arg-type]


def expected(light: np.ndarray, white_nits: float = 203.0, bits: int = 16) -> np.ndarray:
    """Codes (H, W, 3) before rounding, by colour-science in float64."""
    nits = np.clip(light.astype(np.float64) * white_nits, 0, 10000)
    return colour.models.eotf_inverse_ST2084(nits).transpose(1, 2, 0) * (2**bits - 1)


@settings(max_examples=50, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.just(3), st.integers(1, 70), st.integers(1, 40)),
        elements=st.floats(-1, 2.0**127, width=32) | st.floats(0, 50, width=32),
    )
)
def test_codes_are_pq_to_the_nearest(light: np.ndarray) -> None:
    codes = tifffile.imread(io.BytesIO(_pq_tiff.encode(HdrImage(light), OPTIONS))).reshape(
        *light.shape[1:], 3
    )
    assert codes.dtype == np.uint16
    np.testing.assert_allclose(codes, expected(light), atol=0.52)  # 0.5 and the error of float32


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_codes_of_other_depths(bits: int) -> None:
    image = picture(300, 2000, white_nits=100.0, alpha=RNG.random((300, 2000), dtype=np.float32))
    assert image.alpha is not None
    codes = pq_codes(image, bits)
    np.testing.assert_allclose(codes[..., :3], expected(image.light, 100.0, bits), atol=0.52)
    np.testing.assert_allclose(codes[..., 3], image.alpha * (2**bits - 1), atol=0.51)


def test_known_levels() -> None:
    """203 cd/m2 = 58 % (ITU-R BT.2408-7, table 1), 10000 = 100 %, and beyond nothing."""
    light = np.array([0, 1, 10000 / 203, 99], np.float32) * np.ones((3, 1, 1), np.float32)
    codes = pq_codes(HdrImage(light))
    assert codes[0, :, 0].tolist() == [0, round(0.5806889 * 65535), 65535, 65535]


def test_layout() -> None:
    data = _pq_tiff.encode(picture(131, 77, alpha=np.ones((131, 77), np.float32)), OPTIONS)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert len(file.pages) == 1
        page = file.pages.first
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert page.predictor == tifffile.PREDICTOR.HORIZONTAL
        assert page.photometric == tifffile.PHOTOMETRIC.RGB
        assert page.extrasamples == (tifffile.EXTRASAMPLE.UNASSALPHA,)
        assert page.rowsperstrip == 64
        assert page.tags[34675].value == pq_profile()
        assert page.software == f"sdr2hdr {__version__}"
        assert "DateTime" not in page.tags
        assert page.description == ""
    with Image.open(io.BytesIO(data)) as picture_of_pillow:
        assert picture_of_pillow.info["icc_profile"] == pq_profile()


def test_alpha_is_straight() -> None:
    image = picture(70, 30, alpha=RNG.random((70, 30), dtype=np.float32))
    assert image.alpha is not None
    codes = tifffile.imread(io.BytesIO(_pq_tiff.encode(image, OPTIONS)))
    np.testing.assert_array_equal(codes[..., :3], pq_codes(HdrImage(image.light)))
    np.testing.assert_allclose(codes[..., 3] / 65535, image.alpha, atol=0.6 / 65535)


def test_strides_and_repeated_runs() -> None:
    base = RNG.random((140, 2 * 33, 3), dtype=np.float32)
    for view in (base.transpose(2, 0, 1)[:, :, ::2], base.transpose(2, 0, 1)[::-1, ::-1]):
        data = _pq_tiff.encode(HdrImage(view, recipe={"a": "1", "b": "2"}), OPTIONS)
        twin = HdrImage(np.ascontiguousarray(view), recipe={"b": "2", "a": "1"})
        assert data == _pq_tiff.encode(twin, OPTIONS)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["light", "alpha"])
def test_not_finite_is_refused(value: float, where: str) -> None:
    image = picture(70, 7, alpha=np.ones((70, 7), np.float32))
    getattr(image, where)[..., 69, 6] = value
    with pytest.raises(OutputError, match="NaN"):
        _pq_tiff.encode(image, OPTIONS)


def test_too_large_for_a_tiff() -> None:
    light = np.broadcast_to(np.float32(0), (3, 30000, 30000))
    with pytest.raises(OutputError, match=r"write an \.exr"):
        _pq_tiff.encode(HdrImage(light), OPTIONS)


def test_recipe(tmp_path: Path) -> None:
    recipe = {"look": "display", "source": "Bäume & <Himmel>.jpg"}
    path = tmp_path / "a.tif"
    path.write_bytes(_pq_tiff.encode(picture(4, 4, recipe=recipe), OPTIONS))
    assert _pq_tiff.read_recipe(path) == {**recipe, "version": __version__}
    tifffile.imwrite(path, np.zeros((2, 2), np.uint8))
    assert _pq_tiff.read_recipe(path) == {}
    path.write_bytes(b"II*\0")
    assert (
        _pq_tiff.read_recipe(path)
        == _pq_tiff.read_recipe(tmp_path)
        == _pq_tiff.read_recipe(tmp_path / "b")
        == {}
    )
