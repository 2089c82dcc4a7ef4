"""The HTML page of one picture: kept under 6 MB, whatever is in the picture."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from importlib import resources
from string import Template
from typing import Any

import numpy as np

from sdr2hdr import __version__, formats, scale
from sdr2hdr.color.tables import table
from sdr2hdr.drawing import false_color
from sdr2hdr.image import FloatArray, HdrImage, SdrImage
from sdr2hdr.report import words
from sdr2hdr.report.codes import BITS, Packed, pack
from sdr2hdr.report.subject import Subject, page_size

LIMIT = 5_900_000  # bytes of a page
JPEG_QUALITY = 92
GENERATOR = f"sdr2hdr {__version__}"
SCRIPTS = ("light.js", "webgl.js", "canvas2d.js", "viewer.js")
_FRAME = 80_000  # bytes for all but picture and light
_LESS = 0.85  # a picture that does not fit even in 10-bit codes becomes this much smaller, again and again
_LEAST = 64  # long side that any page has room for
_MINOR = (0.1, 100.0, 4000.0)  # marks of the scale that a narrow screen leaves out


@dataclass(frozen=True)
class Picture:
    """The picture as the browser gets it: an SDR JPEG, and behind it the gain map that HDR screens apply.

    data : Ultra HDR file
    error : of the SDR codes through JPEG, its 95th percentile
    """

    data: bytes
    error: float


def page(subject: Subject, back: str = "") -> bytes:
    """The page, UTF-8.

    Parameters
    ----------
    back : address of the page that lists this one, relative, quoted as addresses are
    """
    while True:
        picture = _picture(subject)
        room = LIMIT - _FRAME - _encoded_size(picture.data)
        for bits in BITS:
            packed = pack(subject.nits, bits)
            if _encoded_size(packed.data) <= room or max(subject.sdr.shape) <= _LEAST:
                return _assembled(subject, picture, packed, back)
        subject = _smaller(subject)


def _assembled(subject: Subject, picture: Picture, packed: Packed, back: str) -> bytes:
    style, script = text("style.css"), "\n".join(map(text, SCRIPTS))
    height, width = subject.sdr.shape[1:]
    html = Template(text("page.html")).substitute(
        policy=policy(style, script),
        generator=escape(GENERATOR),
        title=escape(f"{subject.name}: SDR and HDR"),
        style=style,
        back=f'<p class="back"><a href="{escape(back)}">All pictures</a></p>' if back else "",
        name=escape(subject.name),
        lead=escape(words.lead(subject)),
        width=width,
        height=height,
        white=f"{subject.white_nits:g}",
        bits=packed.bits,
        light=_rows(words.light(subject)),
        files_title="Files" if subject.hdr_name else "File",
        files=_rows(words.files(subject)),
        notes=_notes(subject),
        recipe=_recipe(subject.recipe),
        precision=escape(words.precision(subject, packed.bits, packed.error, picture.error)),
        meta=_json(_meta(subject, packed.bits)),
        picture=base64.b64encode(picture.data).decode(),
        codes=base64.b64encode(packed.data).decode(),
        script=script,
    )
    return html.encode("utf-8")


def policy(style: str, script: str = "") -> str:
    """Content security policy: this style, this script, pictures inside the page; nothing else is run or fetched."""
    scripts = f"'{_hash(script)}'" if script else "'none'"
    return (
        f"default-src 'none'; img-src data: blob:; style-src '{_hash(style)}'; script-src {scripts}; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def text(name: str) -> str:
    """A file of this folder."""
    return resources.files(__package__ or "sdr2hdr.report").joinpath(name).read_text("utf-8")


def _hash(words: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(words.encode()).digest()).decode()


def _encoded_size(data: bytes) -> int:
    return (len(data) + 2) // 3 * 4


def _picture(subject: Subject) -> Picture:
    import imagecodecs

    codes = np.ascontiguousarray(np.rint(subject.sdr * 255).astype(np.uint8).transpose(1, 2, 0))
    jpeg = bytes(imagecodecs.jpeg8_encode(codes, level=JPEG_QUALITY, subsampling="444", optimize=True))
    seen = imagecodecs.jpeg8_decode(jpeg)
    error = np.percentile(np.abs(seen.astype(np.int16) - codes), 95)
    signal = np.ascontiguousarray(seen.transpose(2, 0, 1).astype(np.float32) / 255)
    light = subject.nits / np.float32(subject.white_nits)
    hdr = HdrImage(light, subject.white_nits, sdr=SdrImage(signal, format="jpeg", data=jpeg))
    return Picture(formats.encode("uhdr", hdr, formats.EncodeOptions()), float(error))


def _smaller(subject: Subject) -> Subject:
    from sdr2hdr.report.subject import resized

    size = page_size((subject.sdr.shape[1], subject.sdr.shape[2]), round(max(subject.sdr.shape) * _LESS))
    return replace(subject, sdr=scale.shrink(subject.sdr, size)[0].numpy(), nits=resized(subject.nits, size))


def _meta(subject: Subject, bits: int) -> dict[str, Any]:
    """What the script has to know."""
    narrow = table("bt2020_to_bt709")
    to_xyz = table("bt2020_to_xyz")
    luminance = np.einsum("c,chw->hw", to_xyz[1].astype(np.float32), subject.nits)
    row, column = np.unravel_index(int(luminance.argmax()), luminance.shape)
    return {
        "width": subject.sdr.shape[2],
        "height": subject.sdr.shape[1],
        "bits": bits,
        "white": subject.white_nits,
        "pq": table("pq").tolist(),
        "narrow": narrow.tolist(),
        "luma2020": to_xyz[1].tolist(),
        "luma709": (to_xyz @ table("bt709_to_bt2020"))[1].tolist(),
        "top": _top(subject.nits, narrow) / subject.white_nits,
        "brightest": [int(column), int(row)],
        "heat": _heat(subject.white_nits),
    }


def _top(nits: FloatArray, narrow: np.ndarray[Any, Any]) -> float:
    """Largest channel in BT.709, cd/m2."""
    return max(float(np.einsum("c,chw->hw", row.astype(np.float32), nits).max()) for row in narrow)


def _heat(white_nits: float) -> dict[str, Any]:
    low, high = false_color.LOW_NITS, false_color.HIGH_NITS
    marks = [
        {"nits": nits, "words": f"{nits:g}", "kind": "minor" if nits in _MINOR else ""}
        for nits in sorted({0.1, *false_color.MARKS, high} - {white_nits})
    ]
    stops = [
        {
            "nits": white_nits * 2.0**stop,
            "words": f"{stop:+d}".replace("-", "−") if stop else "white",
            "kind": ("minor" if stop % 4 else "") if stop else "white",
        }
        for stop in range(-14, 16, 2)
        if low <= white_nits * 2.0**stop <= high
    ]
    colors = base64.b64encode(false_color.colors().tobytes()).decode()
    return {"low": low, "high": high, "colors": colors, "marks": marks, "stops": stops}


def _rows(pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in pairs
    )


def _notes(subject: Subject) -> str:
    notes = subject.checked.notes if subject.checked else ()
    if not notes:
        return ""
    return (
        '<ul class="notes">'
        + "".join(f"<li>{escape(words.superscript(note))}</li>" for note in notes)
        + "</ul>"
    )


def _recipe(recipe: dict[str, str]) -> str:
    if not recipe:
        return "<p>The HDR file does not say how it was made.</p>"
    return f'<table class="words"><tbody>\n{_rows(sorted(recipe.items()))}\n</tbody></table>'


def _json(value: Any) -> str:
    """JSON that may stand in a script element: without `<`, it cannot end it."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
