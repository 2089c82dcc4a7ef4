"""Does a scene come out the same at every size? python benchmarks/scale.py FOLDER [--work-size MP] [--weights DIR]

Every photograph of the folder is converted and then shrunk (mean light of areas), and shrunk and then converted. The
difference in PQ, as PSNR in dB with 1.0 = 10000 cd/m2, over the whole picture and over its clipped pixels (largest
channel of the small SDR picture at least 0.95). The bars hold for pictures of about 12 megapixels.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from sdr2hdr import device, formats, mask, scale
from sdr2hdr.color.transfer import pq_encode
from sdr2hdr.errors import InputError
from sdr2hdr.image import SDR_WHITE_NITS, SdrImage
from sdr2hdr.pipeline import Converter
from sdr2hdr.settings import Settings

BARS = {2: (45.0, 40.0), 4: (40.0, 35.0)}  # factor: dB over the whole picture, over its clipped pixels

Array = npt.NDArray[np.float32]


def shrunk(planes: Array, size: tuple[int, int]) -> Array:
    """Means over areas of (3, H, W) -> (3, h, w)."""
    return np.stack([cv2.resize(plane, size[::-1], interpolation=cv2.INTER_AREA) for plane in planes])


def pq(light: Array) -> Array:
    return pq_encode(torch.from_numpy(light) * SDR_WHITE_NITS).numpy()


def psnr(a: Array, b: Array) -> float:
    """dB; infinite where nothing differs, NaN of no pixels."""
    if not a.size:
        return float("nan")
    error = float(np.square(a - b, dtype=np.float64).mean())
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def compare(convert: Converter, image: SdrImage, factor: int, whole: Array) -> tuple[float, float, float]:
    """dB over the whole picture and its clipped pixels, and their share, for one factor."""
    size = (max(1, round(image.size[0] / factor)), max(1, round(image.size[1] / factor)))
    small = scale.shrink(image.signal, size)[0].numpy()
    one, other = pq(shrunk(whole, size)), pq(convert(SdrImage(small)).light)
    clipped = small.max(0) >= mask.CLIPPED_SIGNAL
    return psnr(one, other), psnr(one[:, clipped], other[:, clipped]), float(clipped.mean())


def main() -> int:
    """Print the table; 1 if a picture misses a bar."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--work-size", type=float, default=Settings.work_size, metavar="MP")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--precision", default="fp32")
    options = parser.parse_args()
    device.tune_allocator()
    convert = Converter(
        Settings(work_size=options.work_size, weights=options.weights, precision=options.precision)
    )
    missed = 0
    print(f"{'picture':32} {'size':>11}  factor  whole dB  clipped dB  clipped")
    for path in sorted(options.folder.iterdir()):
        try:
            image = formats.read(path)
        except InputError:
            continue
        whole = convert(image).light
        for factor, bars in BARS.items():
            *found, share = compare(convert, image, factor, whole)
            short = any(value < bar for value, bar in zip(found, bars, strict=True))
            missed += short
            height, width = image.size
            print(
                f"{path.name:32} {width:5}x{height:<5}  {factor:6}  {found[0]:8.1f}  {found[1]:10.1f}  {share:6.1%}"
                f"{'  missed' if short else ''}",
                flush=True,
            )
    print(f"bars (whole, clipped): {BARS}; missed {missed} times")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
