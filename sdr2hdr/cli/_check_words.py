"""What `sdr2hdr check` says of a file, to people and to programs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sdr2hdr.cli._report import printable

if TYPE_CHECKING:
    from sdr2hdr.checking import Checked
    from sdr2hdr.formats._examined import Signalling

_HDR = {True: "HDR", False: "not HDR"}
_FORMATS = {
    "avif": "AVIF",
    "bmp": "BMP",
    "exr": "OpenEXR",
    "heic": "HEIC",
    "jpeg": "JPEG",
    "jxl": "JPEG XL",
    "png": "PNG",
    "radiance": "Radiance RGBE",
    "tiff": "TIFF",
    "uhdr": "JPEG with a gain map (Ultra HDR)",
    "webp": "WebP",
}
_TRANSFERS = {
    "linear": "linear",
    "pq": "PQ (SMPTE ST 2084)",
    "hlg": "HLG (BT.2100)",
    "srgb": "sRGB",
}
_PRIMARIES = {
    "bt709": "BT.709",
    "p3": "P3 (D65)",
    "bt2020": "BT.2020",
    "acescg": "ACEScg (AP1)",
    "aces": "ACES 2065-1 (AP0)",
}


def verdict(file: str, checked: "Checked") -> str:
    """One line: the file, HDR or not, and why."""
    return f"{printable(file)}: {_HDR[checked.hdr]} ({'; '.join(checked.reasons)})"


def block(file: str, checked: "Checked") -> str:
    """Some lines: the verdict, then what the file says and holds, aligned."""
    rows = [f"  {title:<11}{words}".rstrip() for title, words in _rows(checked)]
    return "\n".join([f"{printable(file)}: {_HDR[checked.hdr]}", *rows])


def _rows(checked: "Checked") -> Iterator[tuple[str, str]]:
    from sdr2hdr.checking import share

    found, levels = checked.examined, checked.levels
    said = found.signalling
    for reason in checked.reasons:
        yield "because", reason
    bits = f"{found.bits}-bit floating point" if found.floating else f"{found.bits} bits"
    height, width = checked.size
    yield "format", f"{_FORMATS.get(found.format, found.format)}, {width} x {height}, {bits} a channel"
    yield "transfer", _transfer(said)
    yield "primaries", _primaries(said)
    yield "white", _white(said)
    yield "said by", ", ".join(said.said_by) or "nothing in the file: assumed, as readers do"
    yield "MaxCLL", _level(said.max_cll, levels.max_cll)
    yield "MaxFALL", _level(said.max_fall, levels.max_fall)
    if said.peak_nits:
        yield "mastered", f"on a screen of {said.peak_nits:.0f} cd/m2"
    names, nits, stops = _table(checked)
    yield "percentile", names
    yield "cd/m2", nits
    yield "stops", f"{stops}  above SDR white"
    above = (
        f"{share(levels.above_white)} of the pixels above 203 cd/m2, {share(levels.above_bright)} above 1000"
    )
    yield "bright", above
    yield "colours", f"{share(levels.outside_bt709)} outside BT.709, {share(levels.outside_p3)} outside P3"
    yield "clipped", f"{share(found.clipped)} of the pixels hold the largest code"
    if found.recipe:
        yield "made by", "sdr2hdr " + _recipe(found.recipe)
    for note in checked.notes:
        yield "but", note


def _table(checked: "Checked") -> tuple[str, str, str]:
    """Percentiles as three aligned rows."""
    from sdr2hdr.checking import PERCENT, stops

    values = checked.levels.percentiles
    names = "".join(f"{f'{percent:g} %':>10}" for percent in PERCENT)
    nits = "".join(f"{_nits(value):>10}" for value in values)
    above = "".join("         -" if (s := stops(v)) is None else f"{s:>+10.1f}" for v in values)
    return names, nits, above


def _nits(value: float) -> str:
    """Three digits, and no more places than needed."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}" if value >= 0.001 else f"{value:.0g}"


def _transfer(said: "Signalling") -> str:
    words = _TRANSFERS.get(said.transfer, f"gamma {said.gamma:g}")
    return (
        words
        if said.headroom is None
        else f"{words}, and a gain map for {said.headroom:.1f} stops of headroom"
    )


def _primaries(said: "Signalling") -> str:
    if said.primaries in _PRIMARIES:
        return _PRIMARIES[said.primaries]
    at = said.chromaticities or ()
    pairs = (f"{name} {x:.4g} {y:.4g}" for name, x, y in zip("RGBW", at[::2], at[1::2], strict=True))
    return ", ".join(pairs) or said.primaries


def _white(said: "Signalling") -> str:
    if said.transfer == "pq":
        return "absolute levels; SDR white is 203 cd/m2"
    if said.transfer == "hlg":
        return "75 % of the signal is 203 cd/m2 on a screen of 1000"
    if said.white_nits:
        return f"1.0 = {said.white_nits:g} cd/m2"
    return "1.0 = SDR white = 203 cd/m2" + (", assumed" if said.transfer == "linear" else "")


def _level(stated: float | None, measured: float) -> str:
    known = f"stated {stated:.0f}, " if stated else "not stated, "
    return f"{known}measured {_nits(measured)} cd/m2"


def _recipe(recipe: dict[str, str]) -> str:
    hidden = ("version", "weights-")
    rest = ", ".join(f"{key} {value[:40]}" for key, value in recipe.items() if not key.startswith(hidden))
    return printable(f"{recipe.get('version', '')}: {rest}")


def as_object(checked: "Checked") -> dict[str, Any]:
    """The file as the JSON lines have it: shares of 1, levels in cd/m2."""
    from sdr2hdr.checking import PERCENT, stops

    found, levels = checked.examined, checked.levels
    said = found.signalling
    return {
        "hdr": checked.hdr,
        "reasons": checked.reasons,
        "notes": checked.notes,
        "format": found.format,
        "height": checked.size[0],
        "width": checked.size[1],
        "bits": found.bits,
        "floating": found.floating,
        "transfer": said.transfer,
        "gamma": said.gamma if said.transfer == "gamma" else None,
        "primaries": said.primaries,
        "chromaticities": said.chromaticities,
        "white_nits": said.white_nits,
        "said_by": said.said_by,
        "headroom_stops": said.headroom,
        "stated": {"max_cll": said.max_cll, "max_fall": said.max_fall, "peak_nits": said.peak_nits},
        "measured": {
            "max_cll": round(levels.max_cll, 4),
            "max_fall": round(levels.max_fall, 4),
            "percentiles": [
                {"percent": percent, "nits": round(nits, 4), "stops": _rounded(stops(nits))}
                for percent, nits in zip(PERCENT, levels.percentiles, strict=True)
            ],
            "above_203": round(levels.above_white, 6),
            "above_1000": round(levels.above_bright, 6),
            "outside_bt709": round(levels.outside_bt709, 6),
            "outside_p3": round(levels.outside_p3, 6),
        },
        "clipped": round(found.clipped, 6),
        "recipe": found.recipe or {},
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
