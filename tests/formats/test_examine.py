"""`formats.examine`: any file is recognised; what can only be SDR is read as that."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from sdr2hdr import formats
from sdr2hdr.errors import InputError

PIXELS = np.random.default_rng(1).integers(0, 256, (11, 20, 3), dtype=np.uint8)


def encoded(kind: str, **options) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["BMP", "WEBP", "JPEG", "PNG"])
def test_sdr_files(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.exr"  # names do not matter
    path.write_bytes(encoded(kind, **({"lossless": True} if kind == "WEBP" else {})))
    found = formats.examine(path)
    assert found.format == kind.lower()
    assert found.bits == 8
    assert not found.floating
    assert (found.signalling.transfer, found.signalling.primaries) == ("srgb", "bt709")
    assert found.light.shape == (3, 11, 20)
    assert found.light.max() <= 1.00001
    if kind != "JPEG":
        assert found.clipped == pytest.approx((PIXELS == 255).any(2).mean())
    with path.open("rb") as stream:
        np.testing.assert_array_equal(formats.examine(stream).light, found.light)


def test_profile_is_named() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert formats.examine(io.BytesIO(encoded("BMP"))).signalling.said_by == ()
    assert formats.examine(io.BytesIO(encoded("WEBP", icc_profile=profile))).signalling.said_by == ()


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_bytes(b"hello world")
    (tmp_path / "cut").write_bytes(encoded("PNG")[:100])
    (tmp_path / "raw").write_bytes(b"FUJIFILMCCD-RAW")
    for name, words in {
        "missing": "no such file",
        "empty": "is empty",
        "text": "is not a picture of a known kind; export it as one of",
        "cut": "is damaged or cut off",
        "raw": "is a camera raw file; export it as one of",
        ".": "is a folder",
    }.items():
        with pytest.raises(InputError) as caught:
            formats.examine(tmp_path / name)
        message = str(caught.value)
        assert message.startswith(f"{tmp_path / name}: ")
        assert words in message
        assert message.isprintable()


def test_the_limit() -> None:
    with pytest.raises(InputError, match="20 x 11 pixels, more than the limit of 219"):
        formats.examine(io.BytesIO(encoded("PNG")), max_pixels=219)
