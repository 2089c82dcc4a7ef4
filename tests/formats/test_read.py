"""Dispatch, and the messages for what cannot be read."""

import io
import logging
import sys

import numpy as np
import pytest
from PIL import Image

from sdr2hdr import formats
from sdr2hdr.errors import InputError, UsageError

PIXELS = np.random.default_rng(1).integers(0, 256, (11, 20, 3), dtype=np.uint8)


def encoded(kind, pixels=PIXELS, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


LOSSLESS = {"PNG": {}, "BMP": {}, "TIFF": {}, "WEBP": {"lossless": True}}


@pytest.mark.parametrize("kind", LOSSLESS)
def test_the_name_does_not_matter_and_the_signal_is_exact(kind, tmp_path):
    path = tmp_path / "picture.jpg"
    path.write_bytes(encoded(kind, **LOSSLESS[kind]))
    image = formats.read(path)
    assert image.format == kind.lower()
    assert image.bits == 8
    assert image.size == (11, 20)
    assert image.alpha is image.profile is image.exif is None
    assert image.signal.dtype == np.float32
    np.testing.assert_array_equal(image.signal, (PIXELS / 255).astype(np.float32).transpose(2, 0, 1))


def test_str_path_and_stream_give_the_same(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded("PNG"))
    with path.open("rb") as stream:
        a, b, c = formats.read(path), formats.read(str(path)), formats.read(stream)
    np.testing.assert_array_equal(a.signal, b.signal)
    np.testing.assert_array_equal(a.signal, c.signal)


def test_a_pipe_that_gives_little_at_a_time_is_read():
    class Pipe(io.RawIOBase):
        data = io.BytesIO(encoded("PNG"))

        def readable(self):
            return True

        def readinto(self, buffer):
            piece = self.data.read(min(5, len(buffer)))
            buffer[: len(piece)] = piece
            return len(piece)

    assert formats.read(Pipe()).size == (11, 20)


def refused(source, **options):
    with pytest.raises(InputError) as caught:
        formats.read(source, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_missing_folder_empty_and_unknown(tmp_path):
    for name, content, words in [
        ("missing.png", None, "no such file; check the path"),
        ("empty.png", b"", "is empty; copy or export it again"),
        (
            "text.png",
            b"hello world",
            f"is not a picture of a known kind; export it as one of {', '.join(formats.readers())}",
        ),
        ("a.cr3", b"\0\0\0\x18ftypcrx ", "is a camera raw file; export it as one of"),
        ("a.jxr", b"II\xbc\1", "is a JPEG XR picture; export it as one of"),
        (
            "a.exr",
            b"\x76\x2f\x31\x01",
            "is an OpenEXR picture, which is already HDR; only SDR pictures are converted",
        ),
        ("a.hdr", b"#?RADIANCE\n", "already HDR"),
    ]:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        message = refused(path)
        assert message.startswith(f"{path}: ")
        assert words in message
    assert "is a folder" in refused(tmp_path)


def test_permission(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(13, "denied")

    monkeypatch.setattr("pathlib.Path.open", denied)
    assert refused(tmp_path / "a.png").endswith("a.png: may not be read; check its permissions")


def test_a_null_byte_in_the_path_and_a_line_feed_in_the_name():
    assert "cannot be read" in refused("a\0b.png")
    assert refused("a\nb.png") == "a?b.png: no such file; check the path"


def test_name_of_a_stream():
    assert refused(io.BytesIO(b"x" * 99), name="-").startswith("-: ")
    assert refused(io.BytesIO(b"x" * 99)).startswith("<stream>: ")


@pytest.mark.parametrize("kind", [*LOSSLESS, "JPEG"])
def test_the_limit_is_looked_at_before_anything_is_decoded(kind, monkeypatch):
    data = encoded(kind)
    module = formats.readers()[kind.lower()]
    assert module.dimensions(data) == (11, 20)
    assert formats.read(io.BytesIO(data), max_pixels=220).size == (11, 20)

    def decode(_):
        raise AssertionError("decoded")

    monkeypatch.setattr(module, "decode", decode)
    assert "has 20 x 11 pixels, more than the limit of 219; shrink it" in refused(
        io.BytesIO(data), max_pixels=219
    )


@pytest.mark.parametrize("kind", [*LOSSLESS, "JPEG"])
def test_every_cut_is_refused(kind):
    data = encoded(kind)
    for end in [*range(1, 80), *range(80, len(data), 13), len(data) - 1]:
        message = refused(io.BytesIO(data[:end]), name="cut")
        assert message.startswith("cut: ")


@pytest.mark.parametrize("kind", [*LOSSLESS, "JPEG"])
def test_memory_that_does_not_suffice_is_an_input_error(kind, monkeypatch):
    def decode(_):
        raise MemoryError

    monkeypatch.setattr(formats.readers()[kind.lower()], "decode", decode)
    assert "do not fit into memory" in refused(io.BytesIO(encoded(kind)))


def test_warnings_name_the_picture(caplog):
    data = encoded("PNG", icc_profile=b"no profile")
    with caplog.at_level(logging.WARNING):
        image = formats.read(io.BytesIO(data), name="holiday.png")
    assert "holiday.png: its ICC profile cannot be used" in caplog.text
    assert image.profile is None
    np.testing.assert_array_equal(image.signal, formats.read(io.BytesIO(encoded("PNG"))).signal)


def test_registry():
    assert {"bmp", "jpeg", "png", "tiff", "webp"} <= set(formats.readers())
    assert {"exr", "tiff"} <= set(formats.writers())
    suffixes = [suffix for module in formats.readers().values() for suffix in module.EXTENSIONS]
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)


def test_encoder_by_name_and_suffix():
    tiff = formats.readers()["tiff"]
    assert formats.encoder("tiff") is formats.encoder(".TIF") is formats.encoder("tif") is tiff
    with pytest.raises(UsageError, match=r"cannot write 'webp' files; name the output one of: .*\.tif "):
        formats.encoder("webp")


def test_torch_is_not_imported():
    import subprocess

    code = "import sys; from sdr2hdr import formats; formats.readers(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
