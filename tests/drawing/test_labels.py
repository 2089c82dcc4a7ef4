"""Words on pictures: boxes are where the ink is, lines fit, nothing overlaps."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sdr2hdr.drawing import labels, sheets
from sdr2hdr.drawing.labels import Page


@given(st.text(max_size=60), st.integers(40, 400), st.integers(10, 30))
@settings(max_examples=60)
def test_wrapped_lines_fit(words: str, room: int, size: int) -> None:
    lines = labels.wrap(labels.plain(words), room, size)
    assert all(labels.width(line, size) <= room for line in lines)
    if not any("…" in line for line in lines):
        assert " ".join(lines).split() == labels.plain(words).split()


def test_signs_that_the_font_lacks() -> None:
    assert labels.plain("a−b m² Ж\n\x00éu\u0308±°") == "a-b m2 ? ?eu±°"


@pytest.mark.parametrize("anchor", ["la", "ma", "rs", "mm", "ld", "rm"])
def test_a_box_is_where_the_ink_is(anchor: str) -> None:
    page = Page(labels.blank(80, 300, (0, 0, 0)))
    left, top, right, bottom = page.write((150, 40), "203 cd/m2, Qy", 20, (255, 255, 255), anchor)
    rows, columns = np.nonzero(page.pixels.max(-1) > 40)
    assert left <= columns.min() <= left + 2
    assert right - 2 <= columns.max() + 1 <= right
    assert top <= rows.min() <= top + 2
    assert bottom - 2 <= rows.max() + 1 <= bottom


def test_words_that_would_touch_are_not_written() -> None:
    page = Page(labels.blank(40, 200))
    assert page.write_if_free((10, 10), "first")
    assert not page.write_if_free((12, 12), "second")
    assert not page.write_if_free((190, 10), "over the edge")
    assert page.write_if_free((100, 10), "third")
    assert [line.words for line in page.lines] == ["first", "third"]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (300, 400), (2, 1500), (700, 3)])
def test_captions(height: int, width: int) -> None:
    """The picture is there, unchanged, below its words, and the page is wide enough for them."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    done = labels.captioned(
        picture, "A title", "a note that is rather long, and so takes several lines when narrow"
    )
    assert done.shape[1] == max(width, labels.NARROWEST)
    left = (done.shape[1] - width) // 2
    np.testing.assert_array_equal(done[-height:, left : left + width], picture)


def test_notes_of_a_row_stay_level() -> None:
    picture = labels.blank(10, 300)
    heights = {
        labels.caption(Page(picture), "t", note, note_lines=2).size[0] for note in ("", "short", "long " * 12)
    }
    assert len(heights) == 1


def test_pages_on_pages_keep_their_boxes() -> None:
    inner = Page(labels.blank(50, 200))
    inner.write((5, 5), "inside")
    outer = sheets.grid_of([inner, inner, inner], 2)
    boxes = [line.box for line in outer.lines]
    assert len(boxes) == 3
    plain = outer.canvas
    for left, top, right, bottom in boxes:
        assert (outer.pixels[top:bottom, left:right] != plain[top:bottom, left:right]).any()
    rest = outer.pixels.astype(int) - plain
    for left, top, right, bottom in boxes:
        rest[top:bottom, left:right] = 0
    assert not rest.any(), "ink outside of all boxes"


def test_grid() -> None:
    cells = [np.full((20 + i, 30 - i, 3), 10 * i, np.uint8) for i in range(5)]
    page = sheets.grid(cells, 3, gap=4)
    assert page.shape == (4 + 22 + 4 + 24 + 4, 3 * 34 + 4, 3)
    assert (page[4:24, 4:34] == 0).all()
    assert (page[30:54, 4 + 34 + 2 : 4 + 34 + 28] == 40).all(), "in the middle of its cell"


@pytest.mark.parametrize("shape", [(1, 1), (10, 4000), (4000, 10), (900, 1300), (5, 5)])
def test_fit(shape: tuple[int, int]) -> None:
    done = sheets.fit(np.full((*shape, 3), 77, np.uint8), (300, 640))
    assert done.shape[0] <= 300
    assert done.shape[1] <= 640
    assert (done == 77).all()
    assert max(done.shape[0] / 300, done.shape[1] / 640) == 1 or done.shape[:2] == shape


def test_a_png_says_srgb() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    data = labels.png(pixels[:, ::-1])
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(np.asarray(image), pixels[:, ::-1])
        assert image.info["srgb"] == 0
    assert labels.png(pixels) == labels.png(pixels.copy())
