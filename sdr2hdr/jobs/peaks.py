"""One computation, several peaks."""

from dataclasses import replace
from typing import TYPE_CHECKING

from sdr2hdr.image import HdrImage
from sdr2hdr.settings import Settings

if TYPE_CHECKING:  # it imports PyTorch
    from sdr2hdr.pipeline import Report


def below(
    hdr: HdrImage, report: "Report", settings: Settings, *, in_place: bool = False
) -> "tuple[HdrImage, Report]":
    """A picture of the highest peak, below a lower one: what a `Converter` of these settings gives, bit for bit.

    Parameters
    ----------
    hdr, report : of a `Converter` whose settings have a peak of 10000 cd/m2 and are equal otherwise
    in_place : `hdr` is not needed any more
    """
    from sdr2hdr import render  # imports PyTorch

    light = hdr.light if in_place or report.max_cll <= settings.peak_nits else hdr.light.copy()
    rendered = render.Rendered(light, report.max_cll, report.max_fall)
    rendered = render.below(rendered, settings.white_nits, settings.peak_nits)
    recipe = hdr.recipe | {"peak": f"{settings.peak_nits:g}"}
    report = replace(
        report, peak_nits=settings.peak_nits, max_cll=rendered.max_cll, max_fall=rendered.max_fall
    )
    return replace(hdr, light=light, recipe=recipe), report
