"""Whether a file is HDR, and what is said to be amiss."""

import io

import colour
import numpy as np
import pytest
import tifffile
from PIL import Image

from sdr2hdr import checking, formats
from sdr2hdr.checking import Checked, check, judge, measure
from sdr2hdr.formats import EncodeOptions, Examined
from sdr2hdr.formats._examined import Signalling
from sdr2hdr.image import HdrImage

RANDOM = np.random.default_rng(6)
Y, X = np.mgrid[0:40, 0:50].astype(np.float32)
DIM = np.stack([0.02 + Y / 50, 0.02 + (X + Y) / 110, 0.02 + X / 60])  # smooth: some formats are lossy
BRIGHT = DIM.copy()
BRIGHT[:, :8, :8] = 4.0


def examined(light: np.ndarray, said: Signalling, form: str = "png", bits: int = 16, floating: bool = False):
    return Examined(form, bits, floating, said, light, 0.0)


def pq(**rest) -> Signalling:
    return Signalling("pq", "bt2020", ("cICP",), **rest)


def words(checked: Checked) -> str:
    return " | ".join(checked.notes)


@pytest.mark.parametrize("name", sorted(formats.writers()))
def test_what_we_write_is_hdr_and_what_is_dim_is_not(name: str) -> None:
    module = formats.encoder(name)
    for light, bright in ((BRIGHT, True), (DIM, False)):
        data = module.encode(HdrImage(light, recipe={"look": "scene"}), EncodeOptions())
        checked = check(io.BytesIO(data), name="a")
        assert checked.hdr is bright, checked.reasons
        assert checked.size == (40, 50)
        assert checked.examined.signalling.said_by
        assert checked.levels.max_cll == pytest.approx(light.max() * 203, rel=0.12)
        assert checked.levels.max_fall == pytest.approx(float(light.max(0).mean()) * 203, rel=0.05)
        assert checked.examined.recipe["look"] == "scene"
        assert not any("states a Max" in note for note in checked.notes)
        assert any("nothing in it is brighter" in note for note in checked.notes) is not bright


def test_levels_are_those_of_plain_sums() -> None:
    light = (RANDOM.random((3, 61, 47), np.float32) ** 8 * 20).astype(np.float32)
    levels = measure(light)
    top = light.max(0).astype(np.float64) * 203
    assert levels.max_cll == pytest.approx(top.max(), rel=1e-6)
    assert levels.max_fall == pytest.approx(top.mean(), rel=1e-6)
    np.testing.assert_allclose(levels.percentiles, np.quantile(top, [0.01, 0.5, 0.99, 0.999, 1]), rtol=1e-5)
    assert levels.above_white == np.mean(top > 203 * 1.01)
    assert levels.above_bright == np.mean(top > 1000)
    for share, name in ((levels.outside_bt709, "ITU-R BT.709"), (levels.outside_p3, "P3-D65")):
        space = colour.RGB_COLOURSPACES[name]
        inside = colour.RGB_to_RGB(light.transpose(1, 2, 0), colour.RGB_COLOURSPACES["ITU-R BT.2020"], space)
        wanted = np.mean((inside.min(-1) < -0.01 * light.max(0)) & (top > 1))
        assert share == pytest.approx(wanted, abs=1e-3)
        assert 0.05 < share < 0.95


def test_strips_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measure(BRIGHT)
    monkeypatch.setattr(checking, "_STRIP", 100)
    assert measure(BRIGHT) == whole


@pytest.mark.parametrize(
    ("said", "floating", "hdr"),
    [
        (pq(), False, True),
        (Signalling("pq", "bt2020"), False, False),  # nothing says so
        (Signalling("hlg", "bt2020", ("nclx",)), False, True),
        (Signalling("hlg", "bt2020"), False, False),
        (Signalling("linear", "bt709", ("OpenEXR",)), True, True),
        (Signalling("linear"), True, True),
        (Signalling("linear", "bt709", ("ICC profile",)), False, False),
        (Signalling("linear", "bt2020", ("code stream",), white_nits=1000), False, True),
        (Signalling("srgb", "p3", ("ICC profile",)), False, False),
        (Signalling("gamma", "bt709"), False, False),
        (Signalling("srgb", "bt709", ("JPEG XL colour encoding",)), True, True),
        (Signalling("srgb", "p3", ("gain map (ISO 21496-1)",), headroom=2.3), False, True),
        (Signalling("srgb", "p3", ("gain map (ISO 21496-1)",), headroom=0.0), False, False),
    ],
)
def test_verdict(said: Signalling, floating: bool, hdr: bool) -> None:
    checked = judge(examined(BRIGHT, said, floating=floating))
    assert checked.hdr is hdr
    assert len(checked.reasons) == 2
    assert not judge(examined(DIM, said, floating=floating)).hdr


def test_a_few_pixels_of_overshoot_are_no_light() -> None:
    flat = np.full((3, 400, 500), 0.5, np.float32)
    flat[:, :9, :9] = 1.24
    assert not judge(examined(flat, pq())).hdr
    flat[:, 0, 0] = 5
    assert not judge(examined(flat, pq())).hdr, "one pixel of 200,000"
    flat[:, 0, :2] = 5
    assert judge(examined(flat, pq())).hdr


def test_stated_levels_are_compared() -> None:
    cll = float(BRIGHT.max()) * 203
    fall = float(BRIGHT.max(0).mean()) * 203
    assert "states" not in words(judge(examined(BRIGHT, pq(max_cll=cll * 1.09, max_fall=fall * 0.92))))
    noted = words(judge(examined(BRIGHT, pq(max_cll=cll * 1.2, max_fall=fall * 0.8))))
    assert f"a MaxCLL of {cll * 1.2:.0f} cd/m2, and has {cll:.0f}" in noted
    assert f"a MaxFALL of {fall * 0.8:.0f} cd/m2, and has {fall:.0f}" in noted


def test_what_will_go_wrong_is_said() -> None:
    assert "no MaxCLL" in words(judge(examined(BRIGHT, pq())))
    assert "no MaxCLL" not in words(judge(examined(BRIGHT, pq(), "tiff")))
    assert "no MaxCLL" not in words(judge(examined(BRIGHT, pq(max_cll=812.0))))
    assert "8 bits are too few" in words(judge(examined(BRIGHT, pq(), bits=8)))
    assert "bits are too few" not in words(judge(examined(BRIGHT, pq(), bits=10)))
    assert "nothing in it is brighter" in words(judge(examined(DIM, pq())))
    linear = Signalling("linear", said_by=("OpenEXR",))
    assert "above 10000 cd/m2" in words(judge(examined(BRIGHT * 20, linear, floating=True)))
    broken = BRIGHT.copy()
    broken[0, 0, 0], broken[1, 0, 1] = np.inf, np.nan
    checked = judge(examined(broken, linear, floating=True))
    assert "0.10 % of it is infinite or no number" in words(checked)
    assert np.isfinite(checked.levels.percentiles).all()
    assert checked.levels.max_cll == pytest.approx(812)


def test_pq_codes_without_a_tag_are_grey() -> None:
    """A 16-bit PNG or TIFF with PQ values that nothing says to be PQ: no HDR, and a word of warning."""
    codes = (
        (colour.eotf_inverse(BRIGHT * 203.0, "ST 2084") * 65535).round().astype(np.uint16).transpose(1, 2, 0)
    )
    stream = io.BytesIO()
    tifffile.imwrite(stream, codes, photometric="rgb")
    checked = check(io.BytesIO(stream.getvalue()), name="a")
    assert not checked.hdr
    assert "viewers will show this grey" in words(checked)
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.full((9, 9, 3), 65535, np.uint16), photometric="rgb")
    assert "grey" not in words(check(io.BytesIO(stream.getvalue()), name="a"))
    stream = io.BytesIO()
    Image.new("RGB", (9, 9), (90, 90, 90)).save(stream, "BMP")
    assert check(io.BytesIO(stream.getvalue()), name="a").notes == (), "8 bits are what SDR is"


def test_pq_codes_up_to_the_top_are_grey_too() -> None:
    """With one white light in it, the picture is still flat."""
    light = (RANDOM.random((50, 60, 3)) * 150 + 5).astype(np.float32)
    light[:1, :10] = 10_000
    codes = (colour.eotf_inverse(light, "ST 2084") * 65535).round().astype(np.uint16)
    stream = io.BytesIO()
    tifffile.imwrite(stream, codes, photometric="rgb")
    assert "viewers will show this grey" in words(check(io.BytesIO(stream.getvalue()), name="a"))
    photo = colour.eotf_inverse(np.linspace(0, 1, 9000).reshape(50, 60, 3), "sRGB")
    stream = io.BytesIO()
    tifffile.imwrite(stream, (photo * 65535).astype(np.uint16), photometric="rgb")
    assert check(io.BytesIO(stream.getvalue()), name="a").notes == ()


def test_black() -> None:
    checked = judge(examined(np.zeros((3, 4, 5), np.float32), pq()))
    assert not checked.hdr
    assert checked.levels.percentiles == (0, 0, 0, 0, 0)
    assert checking.stops(0) is None
    assert checking.stops(406) == pytest.approx(1)


def test_shares_that_are_not_nothing_do_not_look_like_it() -> None:
    assert checking.share(0) == "0.00 %"
    assert checking.share(0.00002) == "less than 0.01 %"
    assert checking.share(0.1234567) == "12.35 %"
