"""The sRGB profile, as LittleCMS sees it."""

import io

import numpy as np
from PIL import Image, ImageCms

from sdr2hdr import formats
from sdr2hdr.formats._srgb_profile import srgb_profile


def test_it_is_littlecms_srgb() -> None:
    ours = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    codes = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    both = ours, ImageCms.createProfile("sRGB")
    for source, target in (both, both[::-1]):
        found = ImageCms.profileToProfile(Image.fromarray(codes), source, target, renderingIntent=1)
        assert found is not None
        assert np.abs(np.asarray(found).astype(int) - codes).max() <= 1


def test_our_reader_knows_it() -> None:
    codes = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    signals = []
    for profile in (None, srgb_profile()):
        stream = io.BytesIO()
        Image.fromarray(codes).save(stream, "PNG", icc_profile=profile)
        stream.seek(0)
        signals.append(formats.read(stream, name="picture").signal)
    np.testing.assert_allclose(signals[1], signals[0], atol=2e-4)
