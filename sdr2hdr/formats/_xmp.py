"""XMP packets (ISO 16684-1): made, and merged into those of the source."""

from collections.abc import Iterator, Sequence
from typing import Any
from xml.dom import minidom
from xml.parsers.expat import ExpatError

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
HDRGM = "http://ns.adobe.com/hdr-gain-map/1.0/"
CONTAINER = "http://ns.google.com/photos/1.0/container/"
APPLE_GAIN_MAP = "http://ns.apple.com/HDRGainMap/1.0/"

MAX_PACKET = 1 << 22  # bytes of a source's packet; larger ones are not parsed

_TIFF, _EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
_PHOTOSHOP, _NOTE = "http://ns.adobe.com/photoshop/1.0/", "http://ns.adobe.com/xmp/note/"
_CAMERA = "http://ns.google.com/photos/1.0/camera/"
_XMLNS = "http://www.w3.org/2000/xmlns/"

Names = frozenset[tuple[str, str]]
# Names of what is no longer true of any file that is made from the source: what it says of other pictures or films
# in the same file, and which program made it. An empty name stands for a whole namespace.
_BOUND: Names = frozenset(
    [(HDRGM, ""), (CONTAINER, ""), (CONTAINER + "item/", ""), (APPLE_GAIN_MAP, ""), (XMP, "CreatorTool")]
    + [(_CAMERA, name + more) for name in ("MicroVideo", "MotionPhoto") for more in ("", "Version", "Offset")]
    + [(_CAMERA, name + "PresentationTimestampUs") for name in ("MicroVideo", "MotionPhoto")]
)
# And of what is not true where the pixels were turned upright and their code values are others.
_OF_PIXELS: Names = frozenset(
    {
        (_TIFF, "Orientation"),
        (_EXIF, "ColorSpace"),
        (_PHOTOSHOP, "ICCProfile"),
        (_NOTE, "HasExtendedXMP"),  # the extension stays behind
    }
)

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
{body}
<?xpacket end="r"?>"""
_META = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
{rdf}
</x:xmpmeta>"""
_RDF = """<rdf:RDF xmlns:rdf="{rdf}">
{descriptions}
</rdf:RDF>"""


def packet(descriptions: Sequence[str]) -> bytes:
    """A packet (UTF-8) of `rdf:Description` elements, as XML."""
    rdf = _RDF.format(rdf=RDF, descriptions="\n".join(descriptions))
    return _PACKET.format(body=_META.format(rdf=rdf)).encode()


def merged(source: bytes, descriptions: Sequence[str], ours: str, *, same_pixels: bool = False) -> bytes:
    """The source's packet with our `rdf:Description` elements in it.

    Everything of the source stays but what is bound to other parts of its file (gain maps, films), the program's
    name, what is in our namespace, and what was true of the old pixels.

    Parameters
    ----------
    descriptions : as for `packet`
    ours : the namespace that is ours alone
    same_pixels : the file keeps the source's pixels as they are stored, and the extension of its packet

    Raises
    ------
    ValueError
        The source is no XMP, is damaged, or is too large.
    """
    if len(source) > MAX_PACKET:
        raise ValueError(f"{len(source)} bytes")
    try:
        document = minidom.parseString(source.strip(b"\0 \t\r\n"))
        if document.doctype is not None:  # XMP has none; entities are an attempt to grow
            raise ValueError("a document type")
        found = document.getElementsByTagNameNS(RDF, "RDF")
        if not found:
            raise ValueError("no RDF")
        _drop(found[0], _BOUND | {(ours, "")} | (frozenset() if same_pixels else _OF_PIXELS))
        about = _about(found[0])
        for description in _parsed(descriptions):
            description.setAttributeNS(RDF, "rdf:about", about)
            if found[0].prefix != "rdf":
                description.setAttributeNS(_XMLNS, "xmlns:rdf", RDF)
            found[0].appendChild(document.importNode(description, True))
            found[0].appendChild(document.createTextNode("\n"))
        root: Any = document.documentElement
        body = root.toxml() if root.localName == "xmpmeta" else _META.format(rdf=root.toxml())
        return _PACKET.format(body=body).encode()
    except (ExpatError, RecursionError, LookupError) as error:
        raise ValueError(str(error)) from error


def _drop(rdf: minidom.Element, names: Names) -> None:
    """Remove properties, written as attributes or as elements, and descriptions of which nothing is left."""
    for description in list(_elements(rdf)):
        for attribute in list(description.attributes.values()):
            if _named(attribute, names):
                description.removeAttributeNode(attribute)
        for element in list(_elements(description)):
            if _named(element, names):
                _remove(element)
        left = [a for a in description.attributes.values() if a.namespaceURI not in (_XMLNS, RDF)]
        if not left and next(_elements(description), None) is None:
            _remove(description)


def _remove(element: minidom.Element) -> None:
    """With the white space behind it."""
    behind: Any = element.nextSibling
    parent: Any = element.parentNode
    if behind is not None and behind.nodeType == behind.TEXT_NODE and not behind.data.strip():
        parent.removeChild(behind)
    parent.removeChild(element)


def _named(node: minidom.Node, names: Names) -> bool:
    space = node.namespaceURI or ""
    return (space, node.localName) in names or (space, "") in names


def _elements(node: Any) -> Iterator[minidom.Element]:
    return (child for child in node.childNodes if child.nodeType == child.ELEMENT_NODE)


def _about(rdf: minidom.Element) -> str:
    """What the source's descriptions are about: all of a packet have to say the same."""
    for description in _elements(rdf):
        if description.hasAttributeNS(RDF, "about"):
            return str(description.getAttributeNS(RDF, "about"))
    return ""


def _parsed(descriptions: Sequence[str]) -> list[minidom.Element]:
    rdf = minidom.parseString(_RDF.format(rdf=RDF, descriptions="".join(descriptions)))
    return list(_elements(rdf.documentElement))
