"""What a writer may be told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EncodeOptions:
    """Options of `encode` in the writing formats; a format ignores what does not concern it.

    half : EXR in float16 (True) or float32 (False)
    primaries : EXR's primaries: "2020", "709", "p3" or "acescg"
    bits : per channel, 10 or 12, of an AVIF; None: 10
    strip : leave out what the source's EXIF and XMP say, place and date included; the recipe stays
    """

    half: bool = True
    primaries: str = "2020"
    strip: bool = False
    bits: int | None = None
