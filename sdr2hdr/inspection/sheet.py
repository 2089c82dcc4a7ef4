"""The files of an inspection: one PNG a panel, and one sheet with all of them."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from sdr2hdr.drawing.labels import NARROWEST, Page, png, wrap
from sdr2hdr.drawing.sheets import grid_of, headed
from sdr2hdr.inspection.figures import Figures
from sdr2hdr.inspection.observed import Observed
from sdr2hdr.inspection.panels import Panel, Panels, framed, percent, text_size

SIZE = 1600  # pixels of a picture's long side
CELL = 640  # pixels of a picture in the sheet
COLUMNS = 3
ORDER = (  # what the files are numbered by
    "sdr",
    "base",
    "detail",
    "mask",
    "b-net",
    "d-net",
    "r-net",
    "tone-curve",
    "origin",
    "heat-map",
    "gamut",
    "histogram",
    "hdr",
    "hdr-2",
    "hdr-4",
)
SHEET = "sheet.png"


def file_name(panel: str) -> str:
    """The file of a panel."""
    return f"{ORDER.index(panel) + 1:02}-{panel}.png"


def file_names() -> list[str]:
    """Every name that an inspection may write."""
    return [*map(file_name, ORDER), SHEET]


def files(figures: Figures, size: int = SIZE) -> Iterator[tuple[str, bytes]]:
    """Name and contents of every file, as they are made; the sheet comes last.

    Parameters
    ----------
    size : long side of the pictures, pixels, at most
    """
    panels = list(Panels(figures, size).all())
    for panel in panels:
        yield file_name(panel.name), png(framed(panel.page(size)).pixels)
    yield SHEET, png(sheet(figures.observed, figures, panels).pixels)


def sheet(observed: Observed, figures: Figures, panels: Sequence[Panel]) -> Page:
    """All panels on one page, in rows that stay level."""
    cells = []
    for start in range(0, len(panels), COLUMNS):
        row = panels[start : start + COLUMNS]
        lines = max(len(wrap(panel.note, max(CELL, NARROWEST) - 8, text_size(CELL))) for panel in row)
        cells += [panel.page(CELL, CELL, lines) for panel in row]
    return headed(
        grid_of(cells, COLUMNS),
        f"sdr2hdr inspect: {PurePath(observed.name).name}",
        summary(observed, figures),
    )


def summary(observed: Observed, figures: Figures) -> list[str]:
    """What the picture is, how it was converted and what came of it, a line each."""
    height, width = observed.sdr.size
    settings, report = observed.settings, observed.report
    shares = ", ".join(f"{name} {percent(share)}" for name, share in figures.shares.items())
    bright = percent(float((figures.hdr_nits > 203).mean()))
    lines = [
        f"{width} x {height}, {settings.look} look, strength {settings.strength:g}"
        f"{'' if settings.invent else ', without invention'}, white {settings.white_nits:g} cd/m2, "
        f"peak {report.peak_nits:g} cd/m2, mask from signal {report.tau:.3f}",
        f"MaxCLL {report.max_cll:.0f} cd/m2, MaxFALL {report.max_fall:.0f} cd/m2; luminance above 203 cd/m2 {bright}, "
        f"outside BT.709 {percent(figures.outside['bt709'])}, outside P3 {percent(figures.outside['p3'])}",
    ]
    return [*lines, f"Pixels: {shares}"] if observed.layers else lines
