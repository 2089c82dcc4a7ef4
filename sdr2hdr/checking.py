"""Whether a picture file is really HDR, and what viewers will do wrong with it.

A file is HDR when both hold: what it says of its values can carry HDR and readers believe it (PQ or HLG by a tag, a
gain map, or floating-point light), and it holds light above SDR white. Light above SDR white is at least one pixel,
and one in 100,000, that is more than 25 % (a third of a stop) brighter than 203 cd/m2: lossy codecs overshoot the
white of photographs by up to 24 %.

Levels are those of a pixel's largest component in BT.2020 primaries, as CTA-861.3 defines MaxCLL and MaxFALL.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sdr2hdr import formats
from sdr2hdr.color.inplace import outside
from sdr2hdr.formats import Examined
from sdr2hdr.image import PQ_PEAK_NITS, SDR_WHITE_NITS, FloatArray

PERCENT = (1.0, 50.0, 99.0, 99.9, 100.0)
BRIGHT_NITS = 1000.0
TOLERANCE = 1.1  # by which levels may differ before a word is said
BRIGHTER = 1.25  # than SDR white, to count as light above it

_ROUNDING = 1.01  # codes near SDR white are about 1 % apart in 10-bit PQ
_FEW = 1e-5  # share of the pixels
_STRIP = 1 << 18  # pixels
# PQ codes taken as sRGB: 4000 cd/m2 look like 161, 203 cd/m2 like 60 and 1 cd/m2 like 4
_GREY_NITS, _FLAT_NITS, _FLAT_CONTRAST = 165.0, 120.0, 40.0
_STATING = ("png", "avif", "heic")  # formats with a place for MaxCLL that readers look at


@dataclass(frozen=True)
class Levels:
    """What was measured.

    max_cll, max_fall : brightest pixel and mean of the pixels, cd/m2
    percentiles : in cd/m2, in the order of `PERCENT`
    above_white, above_bright : share of the pixels more than 1 % above 203 cd/m2, and above 1000 cd/m2
    above_pq : share above 10000 cd/m2, where PQ ends
    beyond : share more than 25 % above 203 cd/m2, which makes a picture HDR
    outside_bt709, outside_p3 : share of the pixels whose colour is outside by more than 1 %, of those above 1 cd/m2
    infinite : share of the pixels that are infinite or no number; they are left out of all others
    """

    max_cll: float
    max_fall: float
    percentiles: tuple[float, ...]
    above_white: float
    above_bright: float
    above_pq: float
    beyond: float
    outside_bt709: float
    outside_p3: float
    infinite: float


@dataclass(frozen=True)
class Checked:
    """A file, judged.

    size : height, width in pixels
    examined : what was read, without the light (it has no rows)
    levels : what was measured
    hdr : the verdict; `reasons` say why, each a phrase
    notes : what viewers will do wrong with it, each a phrase
    """

    size: tuple[int, int]
    examined: Examined
    levels: Levels
    hdr: bool
    reasons: tuple[str, ...]
    notes: tuple[str, ...]


def check(
    source: str | Path | BinaryIO, *, max_pixels: int = formats.MAX_PIXELS, name: str | None = None
) -> Checked:
    """Read a picture file and judge it; parameters and errors as for `formats.examine`."""
    return judge(formats.examine(source, max_pixels=max_pixels, name=name))


def judge(found: Examined) -> Checked:
    """Judge what has been read."""
    levels = measure(found.light)
    carries, why = _carries(found)
    holds = levels.beyond >= _FEW
    peak = f"its brightest pixel has {levels.max_cll:.0f} cd/m2"
    light = (
        f"{peak}, {_stops(levels.max_cll)} SDR white"
        if holds
        else f"{peak}: no light to speak of above SDR white"
    )
    notes = (*found.notes, *_notes(found, levels, carries and not holds))
    height, width = found.light.shape[1:]
    bare = Examined(**{**vars(found), "light": found.light[:, :0]})
    return Checked((height, width), bare, levels, carries and holds, (why, light), notes)


def measure(light: FloatArray) -> Levels:
    """Levels of light (3, H, W), linear BT.2020, 1.0 = 203 cd/m2; not all of it may be finite."""
    height, width = light.shape[1:]
    top = np.empty((height, width), np.float32)
    infinite, out = 0, {"bt709": 0, "p3": 0}
    step = max(1, _STRIP // width)
    for row in range(0, height, step):
        strip = np.array(light[:, row : row + step])
        bad = ~np.isfinite(strip).all(0)
        infinite += int(bad.sum())
        strip[:, bad] = 0
        bright = np.maximum(strip.max(0), 0)
        top[row : row + step] = bright * np.float32(SDR_WHITE_NITS)
        for gamut in out:
            out[gamut] += int(outside(strip, gamut, SDR_WHITE_NITS).sum())
    pixels = height * width
    above = [
        float(np.count_nonzero(top > limit)) / pixels
        for limit in (SDR_WHITE_NITS * _ROUNDING, BRIGHT_NITS, PQ_PEAK_NITS, SDR_WHITE_NITS * BRIGHTER)
    ]
    return Levels(
        max_cll=float(top.max()),
        max_fall=float(top.mean(dtype=np.float64)),
        percentiles=tuple(float(value) for value in np.percentile(top, PERCENT)),
        above_white=above[0],
        above_bright=above[1],
        above_pq=above[2],
        beyond=above[3],
        outside_bt709=out["bt709"] / pixels,
        outside_p3=out["p3"] / pixels,
        infinite=infinite / pixels,
    )


def stops(nits: float) -> float | None:
    """Stops above SDR white; None for black."""
    return float(np.log2(nits / SDR_WHITE_NITS)) if nits > 0 else None


def _stops(nits: float) -> str:
    return f"{stops(nits) or 0:.1f} stops above"


def _carries(found: Examined) -> tuple[bool, str]:
    """Whether what the file says of its values can carry HDR and is believed, and why."""
    said = found.signalling
    by = said.said_by[0] if said.said_by else ""
    if said.headroom is not None:
        if said.headroom > 0:
            return (
                True,
                f"its {by or 'gain map'}, in full on screens with {said.headroom:.1f} stops of headroom",
            )
        return False, "its gain map lifts nothing"
    if said.transfer in ("pq", "hlg"):
        curve = said.transfer.upper()
        return bool(
            by
        ), f"{curve} by its {by}" if by else f"its values may be {curve}, but nothing in it says so"
    if said.transfer == "linear" and found.floating:
        return True, "floating-point light, which has no ceiling"
    if said.transfer == "linear" and (said.white_nits or 0) > SDR_WHITE_NITS * BRIGHTER:
        return True, f"linear light, 1.0 = {said.white_nits:.0f} cd/m2 by its {by}"
    curve = {"linear": "linear whole numbers", "srgb": "an sRGB signal"}.get(said.transfer, "a gamma signal")
    if found.floating:
        return True, f"{curve} in floating point, which has no ceiling"
    return False, f"{curve}, which ends at SDR white"


def _notes(found: Examined, levels: Levels, empty: bool) -> list[str]:
    """What will go wrong, as far as every format has it in common."""
    said = found.signalling
    notes = []
    if not said.said_by and found.bits > 8 and _is_grey(found, levels):
        notes.append("untagged, and flat: if these are PQ codes, viewers will show this grey; tag it")
    if empty:
        notes.append(
            "room for HDR, but next to nothing in it is brighter than SDR white: it will look like SDR"
        )
    if said.transfer == "pq" and found.bits < 10 and not any("bands" in note for note in found.notes):
        notes.append(f"{found.bits} bits are too few for PQ: smooth skies will show bands")
    if said.transfer == "pq" and found.format in _STATING and not said.max_cll:
        notes.append("no MaxCLL: screens have to guess how bright it gets")
    for word, stated, measured in (
        ("MaxCLL", said.max_cll, levels.max_cll),
        ("MaxFALL", said.max_fall, levels.max_fall),
    ):
        if stated and not stated / TOLERANCE <= measured <= stated * TOLERANCE:
            notes.append(
                f"it states a {word} of {stated:.0f} cd/m2, and has {measured:.0f}: screens will map it wrong"
            )
    if levels.above_pq:
        notes.append(f"{share(levels.above_pq)} of it is above 10000 cd/m2, where PQ ends: it will clip")
    if levels.infinite:
        notes.append(f"{share(levels.infinite)} of it is infinite or no number, and was left out")
    return notes


def _is_grey(found: Examined, levels: Levels) -> bool:
    """Whether an SDR picture looks as PQ codes do that are taken as sRGB: no white, or no contrast."""
    if found.signalling.transfer != "srgb":
        return False
    low, high = levels.percentiles[0], levels.percentiles[2]
    return levels.max_cll < _GREY_NITS or (high < _FLAT_NITS and high < _FLAT_CONTRAST * low)


def share(of: float) -> str:
    """A share of the pixels in per cent; one that is not 0 never looks like it."""
    return "less than 0.01 %" if 0 < of < 1e-4 else f"{100 * of:.2f} %"
