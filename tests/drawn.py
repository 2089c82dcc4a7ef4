"""What holds for every page with words."""

from itertools import combinations

from sdr2hdr.drawing.labels import Page, overlap


def assert_readable(page: Page) -> None:
    """Every line lies on the page, and no two share a pixel."""
    height, width = page.size
    for line in page.lines:
        left, top, right, bottom = line.box
        assert left >= 0, line
        assert top >= 0, line
        assert right <= width, line
        assert bottom <= height, line
    for one, other in combinations(page.lines, 2):
        assert not overlap(one.box, other.box), (one.words, other.words)
