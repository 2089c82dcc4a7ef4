"""Code values of PQ pictures, for every format that stores them."""

import numpy as np
import numpy.typing as npt

from sdr2hdr.formats._strips import strips
from sdr2hdr.image import HdrImage


def pq_codes(image: HdrImage, bits: int = 16) -> npt.NDArray[np.uint16]:
    """Full-range codes, rounded to nearest: (H, W, 3), or (H, W, 4) with straight alpha, 0 .. 2^bits - 1.

    Colour is SMPTE ST 2084 of the light in cd/m2, clipped to 0 .. 10000 cd/m2.

    Raises
    ------
    OutputError
        Light or alpha is NaN or infinite.
    """
    import torch

    from sdr2hdr.color.transfer import pq_encode

    top = 2**bits - 1
    codes = np.empty((*image.size, 3 if image.alpha is None else 4), np.uint16)
    for rows, light, alpha in strips(image):
        signal = pq_encode(torch.from_numpy(light) * image.white_nits).mul_(top).round_()
        codes[rows, :, :3] = signal.permute(1, 2, 0).to(torch.int32).numpy()
        if alpha is not None:
            codes[rows, :, 3] = np.rint(alpha.clip(0, 1) * np.float32(top))
    return codes
