"""Pictures for the tests of AVIF and HEIC, and boxes taken apart by the field."""

import numpy as np
from PIL import Image

from sdr2hdr.formats._isobmff import Container, Property, parse
from sdr2hdr.formats._isobmff_write import assemble
from sdr2hdr.image import HdrImage


def smooth(height: int = 90, width: int = 120, **fields: object) -> HdrImage:
    """Soft colours from black to 4000 cd/m2, as photographs have them between edges."""
    y, x = np.mgrid[:height, :width].astype(np.float32) / np.float32(max(height, width))
    light = np.stack([x * y, x * (1 - y) ** 2, (1 - x) ** 2 * y]) ** 2 * np.float32(20)
    light[:, : height // 8, : width // 8] = 0
    return HdrImage(light, **fields)  # type: ignore[arg-type]


def sdr(height: int = 48, width: int = 64, channels: int = 3) -> np.ndarray:
    """Soft 8-bit colours (H, W, C); not the same in any orientation."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    planes = [255 * x, 255 * y, 200 * (1 - x) * y + 20, 55 + 200 * x * y]
    return np.stack(planes[:channels], -1).round().astype(np.uint8)


def exif_block() -> bytes:
    exif = Image.Exif()
    exif[271], exif[0x8769] = "Maker", {0x829A: 0.008, 0xA001: 1, 0xA002: 4000, 0xA003: 3000}
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 14.5)}
    return exif.tobytes()[6:]


def edited(data: bytes, *properties: Property, without: tuple[bytes, ...] = ()) -> bytes:
    """A file with properties of its primary picture added, and all of some kinds left out."""
    container: Container = parse(data)
    item = container.items[container.primary]
    item.properties = [p for p in item.properties if p.kind not in without] + list(properties)
    return assemble(container)
