"""The HDR picture as an SDR picture: what stays, what gives way, and what other readers make of the files."""

import io
from dataclasses import replace
from pathlib import Path

import colour
import numpy as np
import pytest
from PIL import Image, ImageCms

from sdr2hdr import rendition
from sdr2hdr.errors import OutputError
from sdr2hdr.formats import EncodeOptions
from sdr2hdr.image import HdrImage, SdrImage

OPTIONS = EncodeOptions()
TO_709 = np.linalg.inv([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


def wide(linear: np.ndarray) -> np.ndarray:
    """BT.709 light (H, W, 3) -> BT.2020 light (3, H, W)."""
    return np.ascontiguousarray((linear @ np.linalg.inv(TO_709).T).transpose(2, 0, 1).astype(np.float32))


def photograph(top: float = 6.0) -> tuple[np.ndarray, HdrImage]:
    """Smooth colours and a lamp of `top` times white, (120, 160); and its HDR picture, as the display look has it."""
    y, x = np.mgrid[-1:1:120j, -1:1:160j]
    light = 0.02 + 0.25 * (1 + np.sin(3 * x[..., None] + [0, 1, 2]) * np.cos(2 * y[..., None]))
    lamp = np.exp(-((x - 0.4) ** 2 + y**2) / 0.03)[..., None]
    light = light + top * lamp * [1, 0.8, 0.6]
    sdr = np.rint(colour.models.eotf_inverse_sRGB(np.clip(light, 0, 1)) * 255) / 255
    image = SdrImage(np.ascontiguousarray(sdr.transpose(2, 0, 1).astype(np.float32)))
    return light, HdrImage(wide(light), sdr=image, recipe={"look": "display", "source": "0" * 64})


def decoded(codes: np.ndarray) -> np.ndarray:
    return colour.models.eotf_sRGB(codes / 255)


def test_what_is_below_the_shoulder_is_the_photographs() -> None:
    light, hdr = photograph()
    found = decoded(rendition.codes(hdr))
    below = (light.max(-1) < 0.45) & (np.abs(light - light.clip(0, 1)).max(-1) == 0)
    far = below & (np.mgrid[-1:1:160j] < 0)[None]  # the base layer of the lamp reaches a little around it
    assert far.mean() > 0.2
    assert np.abs(found[far] - light[far]).max() < 0.03
    np.testing.assert_allclose(np.median(found[far] / light[far]), 1, atol=0.02)


@pytest.mark.parametrize("top", [1.5, 6.0, 40.0])
def test_recovered_light_is_not_clipped(top: float) -> None:
    light, hdr = photograph(top)
    codes = rendition.codes(hdr)
    assert (codes == 255).any(-1).mean() < 0.01
    row, m = codes.max(-1)[60], light.max(-1)[60]
    lamp = slice(int(np.argmax(m)), 140)
    assert np.all(np.diff(row[lamp].astype(int)) <= 1), "the lamp falls off as its light does"
    assert row[lamp][0] > row[lamp][5]
    clipped = hdr.sdr.signal[:, 60].max(0) == 1  # type: ignore[union-attr]
    assert len(np.unique(row[clipped])) > 5, "where the photograph is one white, there is shape"


def test_the_photographs_own_curve_comes_back() -> None:
    """A scene look that has undone a camera's contrast, and halved the exposure: the photograph looks as before."""
    light, hdr = photograph(0.3)
    undone = replace(hdr, light=wide(0.5 * np.maximum(light, 0) ** 0.8))
    found, expected = decoded(rendition.codes(undone)), decoded(rendition.codes(hdr))
    assert np.abs(found - expected).mean() < 0.01
    plain = decoded(rendition.codes(replace(undone, sdr=None)))
    assert np.abs(plain - expected).mean() > 0.05, "without the photograph nobody knows"


def test_hue_stays_and_colours_outside_come_in() -> None:
    _, hdr = photograph()
    pixels = np.array([[[0.3, 0.1, 0.05], [3.0, 1.0, 0.5], [-0.2, 0.6, 0.1], [0, 0, 0]]], np.float32)
    inside = rendition.within(pixels.copy())
    assert inside.min() >= 0
    luma = [0.2126, 0.7152, 0.0722]
    np.testing.assert_allclose(inside @ luma, pixels @ luma, atol=1e-6)
    np.testing.assert_allclose(inside[0, :2], pixels[0, :2], rtol=1e-6)
    lamp = np.unravel_index(hdr.light.max(0).argmax(), hdr.size)
    red, green, blue = rendition.render(hdr)[lamp]
    assert red > green > blue, "the lamp is as warm as it was, though paler"


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_files(suffix: str, tmp_path: Path) -> None:
    _, hdr = photograph()
    exif = Image.Exif()
    exif[0x010F] = "Maker of the test"
    hdr = replace(hdr, exif=exif.tobytes().removeprefix(b"Exif\0\0"))
    writer = rendition.writer(suffix)
    data = writer.encode(hdr, OPTIONS)
    assert writer.encode(hdr, OPTIONS) == data
    (tmp_path / "a").write_bytes(data)
    recipe = writer.read_recipe(tmp_path / "a")
    assert recipe["source"] == "0" * 64
    assert recipe.items() >= writer.words(OPTIONS).items()
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.getexif()[0x010F] == "Maker of the test"
        pixels = np.asarray(picture.convert("RGB")).astype(int)
        assert np.abs(pixels - rendition.codes(hdr)).mean() < (1.5 if suffix == ".jpg" else 1e-9)
        if suffix == ".jpg":
            profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
            assert ImageCms.getProfileDescription(profile).strip() == "sRGB"
        else:
            assert picture.info["srgb"] == 0
    for cut in (0, 9, len(data) // 2, len(data) - 1):
        (tmp_path / "a").write_bytes(data[:cut])
        assert writer.read_recipe(tmp_path / "a") == {}


@pytest.mark.parametrize(("suffix", "expected"), [(".jpg", 255), (".png", 0)])
def test_alpha(suffix: str, expected: int) -> None:
    _, hdr = photograph(0.2)
    alpha = np.zeros(hdr.size, np.float32)
    alpha[:, :80] = 1
    with Image.open(
        io.BytesIO(rendition.writer(suffix).encode(replace(hdr, alpha=alpha), OPTIONS))
    ) as picture:
        assert picture.mode == ("RGB" if suffix == ".jpg" else "RGBA")
        assert abs(np.asarray(picture)[60, 150, -1] - expected) <= 2


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (37, 2)])
def test_any_size(size: tuple[int, int]) -> None:
    light = np.random.default_rng(0).random((3, *size), np.float32) * 30
    hdr = HdrImage(light, sdr=SdrImage(np.clip(light, 0, 1)))
    assert rendition.codes(hdr).shape == (*size, 3)


def test_light_that_is_none(tmp_path: Path) -> None:
    _, hdr = photograph()
    hdr.light[0, 3, 3] = np.nan
    with pytest.raises(OutputError, match="NaN"):
        rendition.writer(".png").encode(hdr, OPTIONS)
