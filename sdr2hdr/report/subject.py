"""What there is to show of one picture: SDR and HDR at full size and at the page's, and what was measured."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sdr2hdr import checking, formats, mask, scale
from sdr2hdr.color.inplace import srgb_light, srgb_signal
from sdr2hdr.errors import InputError
from sdr2hdr.formats._source import one_line
from sdr2hdr.image import PQ_PEAK_NITS, SDR_WHITE_NITS, FloatArray, SdrImage

if TYPE_CHECKING:
    from sdr2hdr.pipeline import Converter

SIZE = 1600  # long side of the picture in the page, pixels
_ASPECT = 0.01  # by which the shapes of SDR and HDR may differ


@dataclass(frozen=True)
class Subject:
    """One picture.

    name : of the SDR file, to be shown
    hdr_name : of the HDR file; None if the picture was converted
    size : height, width of the SDR picture; hdr_size : of the HDR picture
    sdr : (3, h, w) signal, sRGB, at the page's size
    nits : (3, h, w) linear BT.2020 light in cd/m2 within 0 .. 10000, at the page's size
    white_nits : luminance of SDR white
    source : what the SDR file was: format, bits, ICC profile; its pixels are left out
    clipped_share : of the SDR picture's pixels
    levels : of the HDR picture at full size
    checked : what the HDR file is; None if the picture was converted
    recipe : how the HDR picture was made, as far as it is known
    """

    name: str
    hdr_name: str | None
    size: tuple[int, int]
    hdr_size: tuple[int, int]
    sdr: FloatArray
    nits: FloatArray
    white_nits: float
    source: SdrImage
    clipped_share: float
    levels: checking.Levels
    checked: checking.Checked | None
    recipe: dict[str, str]


def converted(
    path: Path, nets: "Converter", long_side: int = SIZE, max_pixels: int = formats.MAX_PIXELS
) -> Subject:
    """A picture and what the method makes of it.

    Raises
    ------
    InputError
        It cannot be read.
    WeightsError
        The nets give numbers that are not finite.
    """
    from sdr2hdr.jobs.convert import compute
    from sdr2hdr.jobs.job import Job

    image = formats.read(path, max_pixels=max_pixels)
    hdr, _ = compute(Job(source=path, target=None), nets, image)
    absolute = np.float32(hdr.white_nits / SDR_WHITE_NITS)
    light = hdr.light if absolute == 1 else hdr.light * absolute
    return _subject(path, None, image, light, hdr.white_nits, long_side, None, hdr.recipe)


def compared(path: Path, hdr: Path, long_side: int = SIZE, max_pixels: int = formats.MAX_PIXELS) -> Subject:
    """A picture and the HDR file that somebody has made of it.

    Raises
    ------
    InputError
        One of them cannot be read, or they have different shapes.
    """
    image = formats.read(path, max_pixels=max_pixels)
    examined = formats.examine(hdr, max_pixels=max_pixels)
    height, width = examined.light.shape[1:]
    if abs(np.log(image.size[1] * height / (image.size[0] * width))) > _ASPECT:
        raise InputError(
            f"{one_line(hdr)}: has {width} x {height} pixels, and {one_line(path)} {image.size[1]} x {image.size[0]}; "
            "name the HDR version of the same picture"
        )
    checked = checking.judge(examined)
    recipe = examined.recipe or {}
    white = float(recipe.get("white", SDR_WHITE_NITS))
    return _subject(path, hdr, image, examined.light, white, long_side, checked, recipe)


def _subject(
    path: Path,
    hdr: Path | None,
    image: SdrImage,
    light: FloatArray,
    white_nits: float,
    long_side: int,
    checked: checking.Checked | None,
    recipe: dict[str, str],
) -> Subject:
    import torch

    size, hdr_size = image.size, (light.shape[1], light.shape[2])
    shown = page_size(min(size, hdr_size), long_side)
    sdr = scale.shrink(image.signal, shown)[0].numpy()
    nits = np.concatenate([resized(absolute(plane[None]), shown) for plane in light])
    if image.alpha is not None:
        through = resized(image.alpha[None], shown)
        sdr = srgb_signal()(srgb_light()(sdr) * through + (1 - through))
        nits = nits * through + np.float32(white_nits) * (1 - through)
    return Subject(
        name=one_line(path.name),
        hdr_name=one_line(hdr.name) if hdr else None,
        size=size,
        hdr_size=hdr_size,
        sdr=sdr,
        nits=nits,
        white_nits=white_nits,
        source=SdrImage(image.signal[:, :0], bits=image.bits, format=image.format, profile=image.profile),
        clipped_share=mask.clipped_share(torch.from_numpy(np.ascontiguousarray(image.signal))),
        levels=checking.measure(light),
        checked=checked,
        recipe=recipe,
    )


def page_size(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """Height, width of a picture in the page: as they are, or shrunk to a long side; never enlarged."""
    factor = min(1.0, long_side / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def absolute(light: FloatArray) -> FloatArray:
    """Light in cd/m2, within 0 .. 10000, of light with 1.0 = 203 cd/m2; what is no number counts as 0."""
    nits = np.nan_to_num(light, nan=0, posinf=PQ_PEAK_NITS, neginf=0)
    nits *= np.float32(SDR_WHITE_NITS)
    return np.clip(nits, 0, PQ_PEAK_NITS, out=nits)


def resized(planes: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Area means (n, h, w) of planes; a copy where the size is theirs."""
    if planes.shape[1:] == size:
        return planes.copy()
    return np.stack(
        [cv2.resize(np.ascontiguousarray(p), size[::-1], interpolation=cv2.INTER_AREA) for p in planes]
    )
