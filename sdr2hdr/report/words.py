"""What a page says in words and figures; plain text, which is escaped where it is put in."""

from sdr2hdr.checking import share, stops
from sdr2hdr.image import SDR_WHITE_NITS
from sdr2hdr.mask import CLIPPED_SIGNAL
from sdr2hdr.report.subject import Subject

_NAMES = {"jpeg": "JPEG", "png": "PNG", "tiff": "TIFF", "webp": "WebP", "bmp": "BMP", "exr": "OpenEXR", "avif": "AVIF",
          "heic": "HEIC", "jxl": "JPEG XL", "radiance": "Radiance", "uhdr": "Ultra HDR JPEG"}  # fmt: skip
_TRANSFERS = {"linear": "linear", "pq": "PQ", "hlg": "HLG", "srgb": "sRGB curve", "gamma": "gamma"}
_PRIMARIES = {"bt709": "BT.709", "p3": "P3", "bt2020": "BT.2020", "acescg": "ACEScg", "aces": "ACES 2065-1"}


def lead(subject: Subject) -> str:
    """The picture in one sentence."""
    above = stops(subject.levels.max_cll)
    light = f"{above:.1f} stops of light" if above and above > 0.05 else "No light"
    return f"{light} above SDR white. {_share(subject.clipped_share)} of the SDR picture is clipped."


def light(subject: Subject) -> list[tuple[str, str]]:
    """Levels of the whole HDR picture, at full size."""
    levels = subject.levels
    return [
        ("Brightest pixel (MaxCLL)", _nits(levels.max_cll, subject.white_nits)),
        ("Mean of the pixels (MaxFALL)", _nits(levels.max_fall)),
        ("Median", _nits(levels.percentiles[1])),
        (f"Brighter than {SDR_WHITE_NITS:g} cd/m²", _share(levels.above_white)),
        ("Brighter than 1000 cd/m²", _share(levels.above_bright)),
        ("Colours outside BT.709", _share(levels.outside_bt709)),
        (f"Clipped in SDR (signal of {CLIPPED_SIGNAL * 100:.0f} % and more)", _share(subject.clipped_share)),
    ]


def files(subject: Subject) -> list[tuple[str, str]]:
    """What the files are."""
    source = subject.source
    sdr = f"{_NAMES.get(source.format, source.format)}, {source.bits} bit, {_size(subject.size)}"
    rows = [("SDR", f"{subject.name}: {sdr}"), ("Colour", source.profile or "sRGB")]
    if subject.checked is None or subject.hdr_name is None:
        return [*rows, ("HDR", "converted for this page by sdr2hdr")]
    found = subject.checked.examined
    depth = f"{found.bits} bit{' floating point' if found.floating else ''}"
    said = found.signalling
    curve = _TRANSFERS.get(said.transfer, said.transfer) + (
        f" {said.gamma:g}" if said.transfer == "gamma" else ""
    )
    by = f" (by its {said.said_by[0]})" if said.said_by else " (assumed: nothing in it says so)"
    verdict = "Yes" if subject.checked.hdr else "No"
    return [
        *rows,
        (
            "HDR",
            f"{subject.hdr_name}: {_NAMES.get(found.format, found.format)}, {depth}, {_size(subject.hdr_size)}",
        ),
        ("Values", f"{curve}, {_PRIMARIES.get(said.primaries, 'primaries of its own')}{by}"),
        ("Is it HDR?", superscript(f"{verdict}: {'; '.join(subject.checked.reasons)}")),
    ]


def precision(subject: Subject, bits: int, error: float, sdr_error: float) -> str:
    """How true the page is."""
    height, width = subject.sdr.shape[1:]
    whole = (height, width) == subject.hdr_size
    size = "at its full size" if whole else f"at {_size((height, width))}, by area means of its light"
    return (
        f"The page has the picture {size}; the figures under “Light” are those of the whole file. HDR light is kept in "
        f"{bits}-bit PQ codes, within {100 * error:.2g} % of every channel above 1 cd/m². The SDR picture went through "
        f"JPEG: 95 % of its codes are within {sdr_error:.0f} of the source's."
    )


def superscript(words: str) -> str:
    """Units as a page writes them."""
    return words.replace("cd/m2", "cd/m²")


def _share(of: float) -> str:
    return share(of).replace(" %", "\u00a0%")


def _size(size: tuple[int, int]) -> str:
    return f"{size[1]}\u00a0×\u00a0{size[0]}"


def _nits(nits: float, white_nits: float | None = None) -> str:
    digits = 0 if nits >= 100 else 1 if nits >= 1 else 3
    above = stops(nits * SDR_WHITE_NITS / white_nits) if white_nits else None
    more = f", {above:+.1f} stops".replace("-", "−") if above is not None else ""
    return f"{nits:.{digits}f} cd/m²{more}"
