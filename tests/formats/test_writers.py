"""Laws that every format keeps that is written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sdr2hdr import formats
from sdr2hdr.errors import OutputError
from sdr2hdr.formats import EncodeOptions
from sdr2hdr.image import HdrImage

WRITERS = sorted(formats.writers())
WORDS = {"look": "scene", "peak": "1000", "source": "ab" * 32}


def _image(height: int = 40, width: int = 60) -> HdrImage:
    ramp = np.linspace(0, 1, height * width, dtype=np.float32).reshape(height, width)
    return HdrImage(np.stack([ramp * 4, ramp[::-1] * 2, ramp[:, ::-1]]), recipe=dict(WORDS))


@pytest.mark.parametrize("name", WRITERS)
def test_says_what_it_is(name: str) -> None:
    module = formats.writers()[name]
    assert module.EXTENSIONS
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in module.EXTENSIONS)
    assert module.SUMMARY
    assert 203 <= module.PEAK_NITS <= 10000
    assert formats.encoder(name) is module
    assert all(formats.encoder(suffix) is module for suffix in module.EXTENSIONS)


@pytest.mark.parametrize("name", WRITERS)
def test_equal_pictures_give_equal_bytes_whatever_their_strides(name: str) -> None:
    image, encode = _image(), formats.encoder(name).encode
    data = encode(image, EncodeOptions())
    assert encode(replace(image, light=np.asfortranarray(image.light)), EncodeOptions()) == data
    assert encode(replace(image, recipe=dict(reversed(WORDS.items()))), EncodeOptions()) == data


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_light_that_is_not_finite_is_refused(name: str, value: float) -> None:
    image = _image()
    image.light[1, 3, 4] = value
    with pytest.raises(OutputError, match="NaN or infinite"):
        formats.encoder(name).encode(image, EncodeOptions())


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (33, 47)])
def test_recipe_comes_back_and_not_from_a_file_that_is_cut_off(
    name: str, size: tuple[int, int], tmp_path: Path
) -> None:
    module, image, path = formats.encoder(name), _image(*size), tmp_path / "picture"
    data = module.encode(image, EncodeOptions())
    path.write_bytes(data)
    assert formats.recorded(path, name) == formats.recipe(name, WORDS, EncodeOptions())
    for length in {*range(0, len(data), max(1, len(data) // 50)), len(data) - 1}:
        path.write_bytes(data[:length])
        assert module.read_recipe(path) == {}, length
    path.unlink()
    assert module.read_recipe(path) == {}
    path.write_bytes(b"something else entirely" * 20)
    assert module.read_recipe(path) == {}
