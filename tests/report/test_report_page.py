"""Pages as text: size, policy, words, precision."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browsing import HEIGHT, WIDTH, Known

import sdr2hdr
from sdr2hdr.errors import InputError
from sdr2hdr.image import HdrImage
from sdr2hdr.report import page as paper
from sdr2hdr.report.index import address
from sdr2hdr.report.subject import compared, page_size


def test_a_page_stays_below_its_limit_whatever_is_in_it(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)  # noise takes most
    subject = replace(
        compared(known.sdr, known.hdr),
        sdr=rng.random((3, 90, 122), np.float32),
        nits=10 ** rng.uniform(0, 4, (3, 90, 122)).astype(np.float32),
    )
    whole = paper.page(subject)
    packed = sum(len(part) for part in re.findall(rb"[A-Za-z0-9+/=]{3000,}", whole))
    monkeypatch.setattr(paper, "_FRAME", len(whole) - packed + 50)
    seen = []
    for limit in (len(whole) + 100, len(whole) - 3000, 130_000):
        monkeypatch.setattr(paper, "LIMIT", limit)
        page = paper.page(subject)
        assert len(page) <= limit
        meta = json.loads(re.search(rb'id="meta">(.*?)</script>', page)[1])  # type: ignore[index]
        seen.append((meta["width"], meta["bits"]))
        assert f"{meta['bits']}-bit PQ codes" in page.decode()
    assert seen[0] == (122, 12)
    assert seen[1] in ((122, 10), (122, 11))
    assert seen[-1][0] < 122, "smaller before less than 10 bits"
    assert seen[-1][1] >= 10
    assert meta["width"] / meta["height"] == pytest.approx(122 / 90, rel=0.1)


def test_the_policy_lets_nothing_in_and_nothing_out(known: Known) -> None:
    text = known.path.read_text("utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]  # type: ignore[index]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", 'script type="module"'):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag.split()[0]}>", text, re.DOTALL)
        assert f"'sha256-{base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()}'" in policy
    assert not re.search(r"(src|href)=\"(?!data:)[^\"]", text), "no other file"
    assert "http://" not in text
    assert "https://" not in text


def test_equal_pictures_give_equal_pages(known: Known) -> None:
    assert paper.page(compared(known.sdr, known.hdr)) == known.path.read_bytes()


def test_figures_are_those_of_the_file(known: Known) -> None:
    text = known.path.read_text("utf-8")
    rows = dict(re.findall(r'<tr><th scope="row">([^<]*)</th><td>([^<]*)</td></tr>', text))
    assert rows["Brightest pixel (MaxCLL)"] == f"{known.nits.max():.0f} cd/m², +5.6 stops"
    assert rows["Mean of the pixels (MaxFALL)"] == f"{known.nits.max(0).mean():.0f} cd/m²"
    clipped = np.mean(known.codes.max(-1) / 255 >= 0.95)
    assert rows["Clipped in SDR (signal of 95 % and more)"] == f"{100 * clipped:.2f}\u00a0%"
    assert rows["Brighter than 1000 cd/m²"] == f"{100 * np.mean(known.nits.max(0) > 1000):.2f}\u00a0%"
    assert rows["HDR"].startswith("known.exr: OpenEXR, 16 bit floating point, 61\u00a0×\u00a045")
    assert rows["Is it HDR?"].startswith("Yes: ")
    assert rows["look"] == "scene"


def test_pictures_of_another_shape_are_refused(known: Known, tmp_path: Path) -> None:
    other = tmp_path / "other.exr"
    sdr2hdr.write(other, HdrImage(np.ones((3, 30, 60), np.float32)))
    with pytest.raises(
        InputError, match=r"other\.exr: has 60 x 30 pixels, and .*known\.png 61 x 45; name the HDR"
    ):
        compared(known.sdr, other)


def test_hdr_of_another_size_and_with_holes_is_shown(known: Known, tmp_path: Path) -> None:
    import OpenEXR

    light = np.full((90, 122, 3), 2, np.float32)
    light[0, 0], light[10, 10], light[20, 20] = np.nan, np.inf, -1
    path = tmp_path / "large.exr"
    OpenEXR.File({}, {"RGB": light}).write(str(path))
    subject = compared(known.sdr, path)
    assert subject.nits.shape == (3, HEIGHT, WIDTH)
    assert np.isfinite(subject.nits).all()
    assert subject.nits.min() >= 0
    assert subject.nits[:, 30, 30] == pytest.approx(406, rel=1e-3)
    assert b"infinite or no number" in paper.page(subject)


def test_transparent_pixels_are_white_on_both_sides(known: Known, tmp_path: Path) -> None:
    from PIL import Image

    codes = np.dstack([known.codes, np.zeros((HEIGHT, WIDTH), np.uint8)])
    Image.fromarray(codes).save(tmp_path / "clear.png")
    subject = compared(tmp_path / "clear.png", known.hdr)
    assert subject.sdr.min() > 0.999
    assert subject.nits == pytest.approx(203, rel=1e-4)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((3024, 4032), (1200, 1600)),
        ((45, 61), (45, 61)),
        ((1, 9000), (1, 1600)),
        ((1600, 1600), (1600, 1600)),
    ],
)
def test_page_size(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert page_size(size, 1600) == wanted


def test_addresses_are_bytes() -> None:
    assert address(Path("out/a b/50%\udcff?.html"), Path("out")) == "a%20b/50%25%FF%3F.html"
