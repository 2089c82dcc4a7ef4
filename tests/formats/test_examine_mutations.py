"""Damaged files of every format that can be examined: a picture, or one line; and nothing printed by libraries."""

import io
import random

import numpy as np
import pytest

from sdr2hdr import formats
from sdr2hdr.errors import InputError
from sdr2hdr.formats import EncodeOptions
from sdr2hdr.image import HdrImage

Y, X = np.mgrid[0:24, 0:40].astype(np.float32)
IMAGE = HdrImage(np.stack([X / 9, Y / 9, (X + Y) / 20]), recipe={"look": "scene"})
OURS = sorted(formats.writers())


def damaged(data: bytes, chance: random.Random) -> bytes:
    bad = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(bad) if chance.random() < 0.5 else min(len(bad), 400))
        how = chance.randrange(4)
        if how == 0:
            bad[at] = chance.randrange(256)
        elif how == 1:
            bad[at : at + 4] = chance.choice(
                [b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff", b"\0\0\0\1"]
            )
        elif how == 2:
            del bad[at : at + chance.randint(1, 9)]
        else:
            bad[at:at] = chance.randbytes(chance.randint(1, 9))
    return bytes(bad[: chance.randrange(1, len(bad))] if chance.random() < 0.2 else bad)


@pytest.mark.parametrize("name", OURS)
def test_damage_is_one_line_and_silent(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    whole = formats.encoder(name).encode(IMAGE, EncodeOptions())
    chance = random.Random(name)
    outcomes = []
    for _ in range(40):
        data = damaged(whole, chance)
        said = ""
        try:
            found = formats.examine(io.BytesIO(data), max_pixels=10**6, name="mutant")
        except InputError as error:
            said = str(error)
        else:
            assert found.light.dtype == np.float32
            assert found.light.ndim == 3
            assert 0 <= found.clipped <= 1
        assert not said or (said.startswith("mutant: ") and said.isprintable() and len(said) < 400)
        outcomes.append(bool(said))
    assert True in outcomes, "the damage is never noticed"
    assert capfd.readouterr() == ("", "")
