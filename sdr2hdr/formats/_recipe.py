"""What made a file, written into the file: as XMP where a format takes it.

The packet is plain XMP (ISO 16684-1): one element per word of the recipe, in a namespace of our own, and
`xmp:CreatorTool`. Nothing in it depends on time or place.
"""

import re
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from sdr2hdr import __version__

SOFTWARE = f"sdr2hdr {__version__}"
NAMESPACE = "urn:sdr2hdr:recipe:1.0/"

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="{rdf}">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:sdr2hdr="{ours}">
<xmp:CreatorTool>{software}</xmp:CreatorTool>
{words}
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def full(recipe: dict[str, str]) -> dict[str, str]:
    """The recipe with this program's version in it, sorted by key; keys as XML and OpenEXR names allow them."""
    words = {"version": __version__, **recipe}
    return {
        re.sub(r"[^A-Za-z0-9_.-]|^(?![A-Za-z])", "_", key): _printable(words[key]) for key in sorted(words)
    }


def to_xmp(recipe: dict[str, str]) -> bytes:
    """XMP packet (UTF-8) that holds the recipe."""
    words = "\n".join(f"<sdr2hdr:{k}>{escape(v)}</sdr2hdr:{k}>" for k, v in full(recipe).items())
    return _PACKET.format(rdf=_RDF, ours=NAMESPACE, software=escape(SOFTWARE), words=words).encode()


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
