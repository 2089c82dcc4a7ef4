"""Pictures that are in memory already."""

from typing import Any

import numpy as np
import numpy.typing as npt

from sdr2hdr.errors import InputError
from sdr2hdr.image import FloatArray, SdrImage

_WHITE = {"u1": 255, "u2": 65535}


def from_array(codes: npt.NDArray[Any]) -> SdrImage:
    """A picture from an array, sRGB-encoded.

    Parameters
    ----------
    codes : (H, W), (H, W, 3) or (H, W, 4), the last one with straight alpha; uint8, uint16, or floating point in 0..1

    Raises
    ------
    InputError
        Another shape or type, no pixels, or numbers outside 0..1.
    """
    if codes.ndim not in (2, 3) or (codes.ndim == 3 and codes.shape[2] not in (3, 4)) or 0 in codes.shape:
        raise InputError(f"array of shape {codes.shape}: not a picture; give (H, W), (H, W, 3) or (H, W, 4)")
    white = _WHITE.get(codes.dtype.str[1:])
    if white is None and codes.dtype.kind != "f":
        raise InputError(f"array of {codes.dtype}: not a picture; give uint8, uint16, or floats in 0..1")
    values: FloatArray = codes.astype(np.float32)
    if white:
        values /= np.float32(white)
    elif not (values.min() >= 0 and values.max() <= 1):  # NaN is neither
        raise InputError(
            f"array of {codes.dtype}: has numbers outside 0..1, where 1 is SDR white; divide or clip it"
        )
    if values.ndim == 2:
        values = np.repeat(values[..., None], 3, 2)
    alpha = np.ascontiguousarray(values[..., 3]) if values.shape[2] == 4 else None
    return SdrImage(values[..., :3].transpose(2, 0, 1), alpha, 8 if white == 255 else 16, "array")
