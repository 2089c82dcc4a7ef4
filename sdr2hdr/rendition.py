"""The HDR picture as a good SDR picture: recovered light is dimmed until it fits, everything else stays as it was.

BT.2446 method A, which is made for live television, darkens faces and skies alike, as it knows the picture's peak and
nothing else. Here the SDR photograph is at hand, and it says how bright the rest has to be: a tone curve per channel,
fitted on what was not clipped, puts back the photograph's own contrast and colours (the scene look has undone them;
the display look has kept them, and the curve is the identity), light up to a shoulder stays, and what is above is
compressed on the base layer of the log light, so that large bright areas give way while the detail in them keeps its
contrast. There all channels are scaled alike, so hues stay; nothing but the brightest light reaches the largest code.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from sdr2hdr.color.inplace import convert, srgb_light, srgb_signal
from sdr2hdr.errors import OutputError
from sdr2hdr.formats import EncodeOptions
from sdr2hdr.image import FloatArray, HdrImage
from sdr2hdr.strips import strips
from sdr2hdr.tonemap import brightest, local

Codes = npt.NDArray[np.uint8]

MAPPING = "1"  # word of the recipe: number of this way of mapping, to be raised when results change
QUALITY = 95
_IHDR_END = 33  # of a PNG's signature and first chunk
_END = b"\xff\xd9"  # of a JPEG
_MAX_SIDE = 65500  # of a picture, in libjpeg

START = 0.5  # light, 1.0 = white, below which nothing changes: a signal of 0.735, above most faces
LOGARITHMIC = 0.5  # weight of the logarithmic curve; see `tonemap.shoulder`
FADE = 0.25  # how much of its colour the most compressed light loses; see `tonemap.bleach`
RADIUS = 0.04  # of the base layer's windows, as a share of the picture's long side
EDGE = 1.0  # contrast in stops that is an edge and not detail
TOLD = 0.85  # signal of the SDR picture's brightest channel up to which it says how bright a pixel is
STOPS = np.arange(-12, 4.1, 0.5)  # log2 of the light between which the photograph's curve is fitted
FEW = 2e-4  # share of the pixels that is too little for a point of it
SAMPLES = 500_000  # pixels that it is fitted on


def photographs_curve(image: HdrImage) -> list[tuple[FloatArray, FloatArray]]:
    """Log2 of HDR light and of the SDR picture's, per channel in BT.709, where not clipped: points of a curve.

    Its last point, a stop above the brightest light that was told, has a gain that all channels share: what was
    recovered above keeps its colour.

    No points where the SDR picture is not at hand, or has too few such pixels.
    """
    if image.sdr is None:
        return []
    step = max(1, int((image.size[0] * image.size[1] / SAMPLES) ** 0.5))
    signal = np.ascontiguousarray(image.sdr.signal[:, ::step, ::step])
    light = convert(np.ascontiguousarray(image.light[:, ::step, ::step]), "bt2020_to_bt709")
    told = signal.max(0) < TOLD
    curves = []
    for before, after in zip(srgb_light()(signal), light, strict=True):
        use = told & (before > 2.0**-12) & (after > 2.0 ** STOPS[0])
        x, y = np.log2(after[use]), np.log2(before[use])
        cell = np.digitize(x, STOPS)
        cells = [at for at in range(1, len(STOPS)) if np.count_nonzero(cell == at) > FEW * told.size]
        if len(cells) < 2:
            return []
        middle = np.array([[np.median(values[cell == at]) for at in cells] for values in (x, y)], np.float32)
        curves.append((middle[0], np.maximum.accumulate(middle[1])))
    gain = sum(float(y[-1] - x[-1]) for x, y in curves) / 3
    return [(np.append(x, x[-1] + 1), np.append(y, x[-1] + 1 + gain)) for x, y in curves]


def as_photographed(light: FloatArray, curves: list[tuple[FloatArray, FloatArray]]) -> FloatArray:
    """Light (3, H, W) through the curves; beyond their ends the gain of the end."""
    for channel, (x, y) in zip(light, curves, strict=True):
        gain = np.interp(np.log2(np.maximum(channel, np.float32(2.0**-20))), x, y - x)
        channel *= np.exp2(gain, dtype=np.float32)
    return light


def within(light: FloatArray) -> FloatArray:
    """Colours outside of BT.709 (negative channels), (H, W, 3), moved towards their grey until they are inside."""
    luma = np.array([[0.2126, 0.7152, 0.0722]], np.float32)
    least = cv2.min(cv2.min(light[..., 0], light[..., 1]), light[..., 2])
    if least.min() >= 0:
        return light
    grey = np.maximum(cv2.transform(light, luma), 0)
    way = np.where(least < 0, grey / np.maximum(grey - least, np.float32(1e-9)), np.float32(1))
    return np.maximum(grey[..., None] + (light - grey[..., None]) * way[..., None], 0)


def render(image: HdrImage) -> FloatArray:
    """The picture below SDR white: (H, W, 3) float32, linear light, BT.709, in [0, 1]."""
    curves = photographs_curve(image)
    pixels = np.empty((*image.size, 3), np.float32)
    top = 0.0
    for rows in strips(*image.size):
        light = convert(np.ascontiguousarray(image.light[:, rows]), "bt2020_to_bt709")
        if curves:
            light = as_photographed(light, curves)
        pixels[rows] = within(np.ascontiguousarray(light.transpose(1, 2, 0)))
        top = max(top, float(brightest(pixels[rows]).max()))
    if top > 1:
        radius = max(1, round(RADIUS * max(image.size)))
        local(pixels, START, top, LOGARITHMIC, FADE, radius, EDGE, out=pixels)
    return np.clip(pixels, 0, 1, out=pixels)


def codes(image: HdrImage) -> Codes:
    """`render` as sRGB codes, (H, W, 3)."""
    light, encode = render(image), srgb_signal()
    found = np.empty(light.shape, np.uint8)
    for rows in strips(*image.size):
        signal = encode(light[rows].transpose(2, 0, 1))
        found[rows] = np.rint(signal.transpose(1, 2, 0) * 255)
    return found


@dataclass(frozen=True)
class Writer:
    """Writes the rendition as a file, with the interface of the modules in `formats`.

    png : as a PNG, else as a JPEG
    """

    png: bool

    def encode(self, image: HdrImage, options: EncodeOptions) -> bytes:
        """A file of 8 bits, sRGB and labelled so, with the picture's EXIF and XMP and the recipe.

        Alpha stays in a PNG; in a JPEG the picture stands on white. Equal pictures give equal bytes.

        Raises
        ------
        OutputError
            The light is not finite, or the picture is too large for a JPEG.
        """
        if not np.isfinite(image.light.sum(dtype=np.float64)):
            raise OutputError("the light holds NaN or infinity, which is a fault; please report it")
        return _png(image) if self.png else _jpeg(image)

    def words(self, options: EncodeOptions) -> dict[str, str]:
        """What makes these files depend on more than their light: how it was mapped."""
        return {"tonemap": MAPPING}

    def read_recipe(self, path: Path) -> dict[str, str]:
        """The recipe in a file that `encode` made; empty for any other file, one that is cut off, and none."""
        from sdr2hdr.formats import _jpeg_segments, _pq_png, _recipe

        if self.png:
            return _pq_png.read_recipe(path)
        try:
            data = path.read_bytes()
            if not data.endswith(_END):
                return {}
            found = [data[start:end] for _, start, end in _jpeg_segments.parts(data, 0, len(data))]
        except (OSError, ValueError):
            return {}
        mark = _jpeg_segments.XMP_MARK
        packets = [segment[len(mark) :] for segment in found if segment.startswith(mark)]
        return _recipe.from_xmp(packets[0]) if packets else {}


def writer(suffix: str) -> Writer:
    """What writes files of this suffix: a PNG for .png, else a JPEG."""
    return Writer(suffix.lower() == ".png")


def _png(image: HdrImage) -> bytes:
    import imagecodecs

    from sdr2hdr.formats._png_chunks import chunk, xmp_chunk

    pixels = codes(image)
    if image.alpha is not None:
        pixels = np.dstack([pixels, np.rint(image.alpha.clip(0, 1) * 255).astype(np.uint8)])
    data = bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), 6))
    labels = chunk(b"sRGB", b"\0") + xmp_chunk(_xmp(image))  # perceptual (PNG 3, 11.3.2.5)
    if image.exif is not None:
        labels += chunk(b"eXIf", image.exif)
    return data[:_IHDR_END] + labels + data[_IHDR_END:]


def _jpeg(image: HdrImage) -> bytes:
    import imagecodecs

    from sdr2hdr.formats._jpeg_base import EXIF_MARK, MAX_SEGMENT, segment
    from sdr2hdr.formats._jpeg_segments import XMP_MARK
    from sdr2hdr.formats._srgb_profile import srgb_profile

    height, width = image.size
    if max(height, width) > _MAX_SIDE:
        raise OutputError(f"{width} x {height} pixels are too many for a JPEG; name the file .png")
    pixels = codes(image)
    if image.alpha is not None:
        alpha = image.alpha.clip(0, 1)[..., None]
        pixels = np.rint(pixels * alpha + np.float32(255) * (1 - alpha)).astype(np.uint8)
    data = bytes(
        imagecodecs.jpeg8_encode(np.ascontiguousarray(pixels), QUALITY, subsampling="444", optimize=True)
    )
    wanted = [
        (0xE1, EXIF_MARK + image.exif if image.exif is not None else b""),
        (0xE1, XMP_MARK + _xmp(image)),
        (0xE2, b"ICC_PROFILE\0\1\1" + srgb_profile()),
    ]
    segments = [segment(marker, words) for marker, words in wanted if 0 < len(words) <= MAX_SEGMENT]
    first = 4 + int.from_bytes(data[4:6], "big") if data[2:4] == b"\xff\xe0" else 2  # JFIF comes first
    return data[:first] + b"".join(segments) + data[first:]


def _xmp(image: HdrImage) -> bytes:
    from sdr2hdr.formats._recipe import to_xmp

    return to_xmp(image.recipe | {"tonemap": MAPPING}, image.xmp)
