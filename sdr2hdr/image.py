"""Pictures in memory, between the reader and the writer."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

SDR_WHITE_NITS = 203.0  # ITU-R BT.2408-7, 2.2: HDR reference white
PQ_PEAK_NITS = 10000.0  # SMPTE ST 2084: luminance of signal 1.0


@dataclass(frozen=True)
class SdrImage:
    """A picture as it was read.

    signal : (3, H, W) float32 in [0, 1], sRGB-encoded, BT.709 primaries; any strides
    alpha : (H, W) float32 in [0, 1] (straight, not premultiplied), or None
    bits : bits per channel of the file, 8 or 16
    format : what the file was, as a word ("jpeg", "png", ...)
    profile : description of the ICC profile that was converted from, or None for sRGB and untagged files
    exif : EXIF block (TIFF structure, without any "Exif\\0\\0" prefix), orientation already applied, or None
    xmp : XMP packet (ISO 16684-1) as it stood in the file, or None
    digest : SHA-256 of the file's bytes, hexadecimal; empty for what was no file
    data : the file itself where it is a JPEG, which a gain map can be added to; else None
    """

    signal: FloatArray
    alpha: FloatArray | None = None
    bits: int = 8
    format: str = ""
    profile: str | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    digest: str = ""
    data: bytes | None = field(default=None, repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """Height, width in pixels."""
        return self.signal.shape[1], self.signal.shape[2]


@dataclass(frozen=True)
class HdrImage:
    """A picture as it will be written.

    light : (3, H, W) float32, linear, BT.2020 primaries, 1.0 = `white_nits`, 0 .. 10000 / white_nits; any strides
    alpha, exif, xmp : as in SdrImage
    white_nits : luminance of light 1.0 in cd/m2
    recipe : what made it (version, hashes of the weights, options), plain words for keys and values
    sdr : the picture it was made of, where that is at hand
    """

    light: FloatArray
    white_nits: float = SDR_WHITE_NITS
    alpha: FloatArray | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    recipe: dict[str, str] = field(default_factory=dict)
    sdr: SdrImage | None = field(default=None, repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """Height, width in pixels."""
        return self.light.shape[1], self.light.shape[2]

    @property
    def rgb(self) -> FloatArray:
        """The light as (H, W, 3), which most libraries take; a view, nothing is copied."""
        rgb: FloatArray = self.light.transpose(1, 2, 0)
        return rgb
