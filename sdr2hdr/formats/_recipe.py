"""What made a file, written into the file: as XMP where a format takes it.

The packet is plain XMP (ISO 16684-1): one element per word of the recipe, in a namespace of our own, and
`xmp:CreatorTool`, beside what the source's packet says. Nothing in it depends on time or place.
"""

import logging
import re
from collections.abc import Sequence
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from sdr2hdr import __version__
from sdr2hdr.formats import _xmp
from sdr2hdr.formats._source import one_line

_LOG = logging.getLogger(__name__)

SOFTWARE = f"sdr2hdr {__version__}"
NAMESPACE = "urn:sdr2hdr:recipe:1.0/"

_DESCRIPTION = """<rdf:Description rdf:about="" xmlns:xmp="{xmp}" xmlns:sdr2hdr="{ours}">
<xmp:CreatorTool>{software}</xmp:CreatorTool>
{words}
</rdf:Description>"""


def full(recipe: dict[str, str]) -> dict[str, str]:
    """The recipe with this program's version in it, sorted by key; keys as XML and OpenEXR names allow them."""
    words = {"version": __version__, **recipe}
    return {
        re.sub(r"[^A-Za-z0-9_.-]|^(?![A-Za-z])", "_", key): _printable(words[key]) for key in sorted(words)
    }


def to_xmp(
    recipe: dict[str, str],
    source: bytes | None = None,
    *,
    more: Sequence[str] = (),
    same_pixels: bool = False,
) -> bytes:
    """XMP packet (UTF-8) that holds the recipe, and what the source's packet says.

    Parameters
    ----------
    source : the packet of the picture that it was made of; one that is damaged is left out, with a warning
    more : further `rdf:Description` elements
    same_pixels : as in `_xmp.merged`
    """
    words = "\n".join(f"<sdr2hdr:{k}>{escape(v)}</sdr2hdr:{k}>" for k, v in full(recipe).items())
    own = _DESCRIPTION.format(xmp=_xmp.XMP, ours=NAMESPACE, software=escape(SOFTWARE), words=words)
    if source is not None:
        try:
            return _xmp.merged(source, [own, *more], NAMESPACE, same_pixels=same_pixels)
        except ValueError as error:
            _LOG.warning("the XMP packet is damaged (%s) and is left out", one_line(error)[:80])
    return _xmp.packet([own, *more])


def from_xmp(packet: bytes) -> dict[str, str]:
    """The recipe in an XMP packet; empty if it is not XMP or not ours."""
    try:
        root = ElementTree.fromstring(packet.strip(b"\0 \r\n"))
    except ElementTree.ParseError:
        return {}
    mark = f"{{{NAMESPACE}}}"
    return {e.tag.removeprefix(mark): e.text or "" for e in root.iter() if e.tag.startswith(mark)}


def _printable(text: str) -> str:
    """Without the characters that XML 1.0 forbids (line ends become spaces: they would not survive either)."""
    return re.sub(r"[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", " ", text)
