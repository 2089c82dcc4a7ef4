"""The labelled pictures of one conversion, in the order of the method."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sdr2hdr.drawing import false_color, gamut_diagram, histogram, labels, tone_curve
from sdr2hdr.drawing.axes import legend_page
from sdr2hdr.drawing.color_scale import color_scale
from sdr2hdr.drawing.labels import TEXT, Page, Pixels
from sdr2hdr.drawing.sheets import fit, stack
from sdr2hdr.image import SDR_WHITE_NITS, FloatArray
from sdr2hdr.inspection import views
from sdr2hdr.inspection.figures import Figures, decoded, direct
from sdr2hdr.inspection.origin import NAMES
from sdr2hdr.scale import shrink

NARROWEST = 560  # pixels of a page: captions and scales need as much
PLOT = 1120  # pixels that a plot is wide at most
STOPS = (0, -2, -4)  # exposures of the result

_WORDS = {
    "measured": "measured",
    "recovered": "recovered from other channels",
    "invented": "invented",
}


@dataclass(frozen=True)
class Panel:
    """One labelled picture.

    name : of its file, without the suffix
    title, note : above it
    body : the picture itself; called with the most pixels that it may be wide and high
    """

    name: str
    title: str
    note: str
    body: Callable[[int], Page]

    def page(self, room: int, wide: int = 0, note_lines: int = 0) -> Page:
        """Picture and words.

        Parameters
        ----------
        room : pixels that the picture may be wide and high
        wide : pixels that the page has at least, the picture in its middle
        note_lines : see `labels.caption`
        """
        body = padded(self.body(room), max(wide, NARROWEST))
        return labels.caption(body, self.title, self.note, title_size(body.size[1]), note_lines)


def unit(wide: int) -> float:
    """How much larger than in the sheet everything is drawn on a page of this width."""
    return min(max(wide / 640, 1.0), 1.75)


def title_size(wide: int) -> int:
    """Pixels of a title's letters."""
    return round((TEXT + 3) * unit(wide))


def text_size(wide: int) -> int:
    """Pixels of other letters."""
    return round(TEXT * unit(wide))


def framed(page: Page) -> Page:
    """With a margin, for a file of its own."""
    margin = title_size(page.size[1])
    whole = Page(labels.blank(page.size[0] + 2 * margin, page.size[1] + 2 * margin))
    whole.put(page, margin, margin)
    return whole


def padded(body: Page, wide: int) -> Page:
    """In the middle of a page of at least this width."""
    if body.size[1] >= wide:
        return body
    page = Page(labels.blank(body.size[0], wide))
    page.put(body, (wide - body.size[1]) // 2, 0)
    return page


@dataclass(frozen=True)
class Panels:
    """All pictures of one conversion.

    size : long side of the pictures, pixels, at most
    """

    figures: Figures
    size: int

    def all(self) -> Iterator[Panel]:
        """Those that there are, in order: without nets there are no layers, without invention there is no D-net."""
        layers = self.figures.observed.layers
        yield self._sdr()
        if layers:
            yield from self._layers()
        yield self._tone_curve()
        if layers:
            yield self._origin()
        yield self._heat_map()
        yield self._gamut()
        yield self._histogram()
        for stops in STOPS:
            yield self._exposure(stops)

    @cached_property
    def light(self) -> FloatArray:
        """The result (3, h, w), shrunk."""
        return views.shrunk(self.figures.observed.hdr.light, self.size)

    @cached_property
    def top(self) -> float:
        """Light, 1.0 = SDR white, that is shown as white where highlights are rolled off."""
        brightest = decoded(self.figures.observed.layers["refined"]).max(0) / SDR_WHITE_NITS
        return max(1.0, float(np.percentile(brightest, 99.9)))

    def _picture(self, name: str, title: str, note: str, pixels: Callable[[], Pixels]) -> Panel:
        made: list[Pixels] = []

        def body(room: int) -> Page:
            if not made:
                made.append(pixels())
            return Page(views.legible(fit(made[0], (room, room))))

        return Panel(name, title, note, body)

    def _sdr(self) -> Panel:
        sdr, report = self.figures.observed.sdr, self.figures.observed.report
        height, width = sdr.size
        note = (
            f"{width} x {height}, {sdr.bits} bit{f' {sdr.format}' * bool(sdr.format)}; "
            f"{percent(report.clipped_share)} clipped in some channel"
        )
        if sdr.alpha is not None:
            note += "; its alpha is not shown"
        return self._picture("sdr", "SDR picture", note, lambda: views.of_signal(sdr.signal, self.size))

    def _layers(self) -> Iterator[Panel]:
        layers, tau = self.figures.observed.layers, self.figures.observed.report.tau
        height, width = layers["signal"].shape[1:]
        size = f"working size, {width} x {height}"
        detail = self.figures.observed.detail
        shown = views.reach(detail, layers["base"])
        yield self._picture(
            "base",
            "Base layer",
            f"the picture smoothed up to its edges; {size}",
            lambda: views.of_values(layers["base"], self.size),
        )
        yield self._picture(
            "detail",
            "Detail layer",
            f"picture / base, by channel; grey 1, black and white ±{shown:g} stops of signal",
            lambda: views.of_detail(detail, shown, self.size),
        )
        yield self._picture(
            "mask",
            "Mask of R, G, B",
            f"how surely clipping took light: black at signal {tau:.3f} and below, full at 1",
            lambda: views.of_values(layers["mask"], self.size),
        )
        rolled = f"highlights rolled off to show {self.top * SDR_WHITE_NITS:.0f} cd/m2"
        yield self._picture(
            "b-net",
            "B-net: base layer in HDR",
            rolled,
            lambda: views.of_pq(layers["hdr_base"], self.top, self.size),
        )
        if "hdr_detail" in layers:
            reach = views.reach(layers["hdr_detail"], layers["base"])
            yield self._picture(
                "d-net",
                "D-net: detail layer in HDR",
                f"of the tone curve, in the mask of the net; grey 1, black and white ±{reach:g} stops of PQ signal",
                lambda: views.of_detail(layers["hdr_detail"], reach, self.size),
            )
        yield self._picture(
            "r-net",
            "R-net: the result at the working size",
            rolled,
            lambda: views.of_pq(layers["refined"], self.top, self.size),
        )

    def _tone_curve(self) -> Panel:
        seen = self.figures.observed
        note = "what the B-net makes of the camera's response, for every pixel alike; R, G, B in BT.709 primaries"
        if not seen.layers:
            note = "the direct mapping: there are no nets at strength 0"
        elif seen.settings.strength < 1:
            note += f"; mixed with the direct mapping at strength {seen.settings.strength:g}"
        return Panel(
            "tone-curve",
            "Tone curve",
            note,
            lambda room: tone_curve.draw(seen.tone_curve, seen.report.tau, min(room, PLOT)),
        )

    def _origin(self) -> Panel:
        shares, nets = self.figures.shares, self.figures.nets
        note = "measured: no channel in the mask, the tone curve tells the light"
        if "measured" in nets:
            most = max(nets["measured"]["p99_of_size"], 0.01)  # rounded to 0 it would look like a fault
            note += f" (99 % of it was moved by the nets by less than {most:.2f} stops)"
        note += "; invented: all channels clipped"
        if "invented" in nets:
            note += f" (the nets added {nets['invented']['median']:+.1f} stops, median)"
        if not self.figures.observed.settings.invent:
            note += "; its detail is not, by --no-invent"

        def body(room: int) -> Page:
            structure = fit(views.rolled_off(self.light, self.top), (room, room))
            shown = Page(views.legible(views.of_classes(self.figures.classes, structure)))
            wide = max(shown.size[1], NARROWEST)
            entries = [
                (color, f"{_WORDS[name]} {percent(shares[name])}")
                for name, color in zip(NAMES, views.COLORS, strict=True)
            ]
            return stack([shown, legend_page(wide, entries, text_size(wide))])

        return Panel("origin", "Measured, recovered, invented", note, body)

    def _heat_map(self) -> Panel:
        seen = self.figures.observed
        note = (
            f"of the result; MaxCLL {seen.report.max_cll:.0f}, MaxFALL {seen.report.max_fall:.0f} cd/m2; "
            f"{percent(float((self.figures.hdr_nits > 203).mean()))} above 203 cd/m2"
        )

        def body(room: int) -> Page:
            nits = views.shrunk(self.figures.hdr_nits[None], min(room, self.size))[0]
            shown = Page(views.legible(false_color.color(nits)))
            wide = max(shown.size[1], NARROWEST)
            return stack([shown, color_scale(wide, seen.settings.white_nits, text_size(wide))])

        return Panel("heat-map", "Luminance", note, body)

    def _gamut(self) -> Panel:
        seen, outside = self.figures.observed, self.figures.outside
        signal = shrink(seen.sdr.signal, views.size_within(seen.sdr.size, self.size))[0].numpy()
        clouds = (
            gamut_diagram.Cloud(direct(signal, seen.settings.white_nits), "SDR picture", "all in BT.709"),
            gamut_diagram.Cloud(
                self.light * np.float32(seen.hdr.white_nits),
                "HDR result",
                f"outside BT.709 {percent(outside['bt709'])}, P3 {percent(outside['p3'])}",
            ),
        )
        note = "CIE 1931 x, y of the pixels of 1 cd/m2 and more; brighter: more pixels"
        return Panel("gamut", "Gamut", note, lambda room: gamut_diagram.draw(clouds, min(room, PLOT)))

    def _histogram(self) -> Panel:
        figures = self.figures
        both = histogram.histogram(figures.sdr_nits), histogram.histogram(figures.hdr_nits)
        note = "share of the pixels in each quarter of a stop, on a logarithmic scale"
        return Panel(
            "histogram",
            "Histogram of luminance",
            note,
            lambda room: histogram.draw(*both, min(room, PLOT)),
        )

    def _exposure(self, stops: int) -> Panel:
        white = self.figures.observed.settings.white_nits
        return self._picture(
            f"hdr{stops or ''}",
            f"HDR result at {stops} stops",
            f"clipped above {white * 2.0**-stops:g} cd/m2",
            lambda: views.exposed(self.light, stops),
        )


def percent(share: float) -> str:
    """A share in per cent, with as many digits as tell something; never 0 or 100 for what is not."""
    if share in (0, 1):
        return f"{share * 100:.0f} %"
    if share < 1e-4:
        return "< 0.01 %"
    if share > 1 - 1e-4:
        return "> 99.99 %"
    return f"{share * 100:.2f} %" if share < 0.01 or share > 0.99 else f"{share * 100:.1f} %"
