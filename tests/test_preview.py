"""The sheet for any screen: exposures by the formulas, its layout, its file."""

import io
from dataclasses import replace
from pathlib import Path

import colour
import numpy as np
import pytest
from PIL import Image

from sdr2hdr import preview
from sdr2hdr.drawing import labels
from sdr2hdr.errors import OutputError
from sdr2hdr.formats import EncodeOptions
from sdr2hdr.image import HdrImage, SdrImage

OPTIONS = EncodeOptions()


def picture(height: int = 90, width: int = 120) -> HdrImage:
    signal = np.random.default_rng(0).random((3, height, width), np.float32)
    return HdrImage(signal**2 * 8, sdr=SdrImage(signal), recipe={"look": "scene", "peak": "10000"})


@pytest.mark.parametrize("stops", [0, -1, -3])
def test_exposures(stops: int) -> None:
    """SDR white times 2^-stops is white, more is clipped: as colour-science has it, within rounding."""
    light = np.linspace(0, 10, 300, dtype=np.float32) * np.array([[[1.0]], [[0.9]], [[0.7]]], np.float32)
    found = preview.exposed(light.astype(np.float32), stops)
    rgb = colour.RGB_to_RGB(
        light.transpose(1, 2, 0), "ITU-R BT.2020", "sRGB", chromatic_adaptation_transform=None
    )
    expected = np.rint(255 * colour.models.eotf_inverse_sRGB(np.clip(rgb * 2.0**stops, 0, 1)))
    assert np.abs(found - expected).max() <= 1
    white = np.full((3, 1, 1), 2.0**-stops, np.float32)
    assert preview.exposed(white, stops).tolist() == [[[255, 255, 255]]]
    assert preview.exposed(0.98 * white, stops).max() < 255


def test_what_is_on_the_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    real = labels.Page.write

    def written(
        self: labels.Page, at: tuple[float, float], words: str, *rest: object, **more: object
    ) -> object:
        said.append(words)
        return real(self, at, words, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(labels.Page, "write", written)
    sheet = preview.sheet(picture())
    text = "\n".join(said)
    for words in (
        "SDR",
        "HDR, 0 stops",
        "HDR, −1 stop",
        "HDR, −2 stops",
        "HDR, −3 stops",
        "HDR, tone-mapped",
    ):
        assert words in said
    assert "MaxCLL" in text
    assert "scene look" in text
    assert sheet.dtype == np.uint8
    said.clear()
    preview.sheet(replace(picture(), sdr=None))
    assert "the photograph" not in said


@pytest.mark.parametrize(
    ("height", "width", "columns"),
    [(2000, 3000, 3), (3000, 2000, 3), (1000, 9000, 1), (9000, 500, 6), (8, 8, 6)],
)
def test_layout(height: int, width: int, columns: int) -> None:
    found, (high, wide) = preview._layout(height, width, 6)
    assert found == columns
    assert abs(high / wide / (height / width) - 1) < 0.02
    assert high <= height
    rows = -(-6 // columns)
    assert high * rows <= preview.ROOM[0] + 1
    assert wide * columns <= preview.ROOM[1] + 1


def test_the_file(tmp_path: Path) -> None:
    hdr = picture()
    data = preview.encode(hdr, OPTIONS)
    assert preview.encode(hdr, OPTIONS) == data
    with Image.open(io.BytesIO(data)) as file:
        file.load()
        assert file.info["srgb"] == 0
    (tmp_path / "p.png").write_bytes(data)
    assert (
        preview.read_recipe(tmp_path / "p.png").items()
        >= {"look": "scene", "peak": "10000", "preview": "1"}.items()
    )
    (tmp_path / "p.png").write_bytes(data[:-1])
    assert preview.read_recipe(tmp_path / "p.png") == {}
    hdr.light[0, 0, 0] = np.inf
    with pytest.raises(OutputError):
        preview.encode(hdr, OPTIONS)
