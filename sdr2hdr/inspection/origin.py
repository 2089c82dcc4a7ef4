"""Where the light of a result comes from: measured, recovered or invented."""

import cv2
import numpy as np
import numpy.typing as npt

from sdr2hdr.image import FloatArray
from sdr2hdr.mask import CLIPPED_SIGNAL
from sdr2hdr.strips import for_each

MEASURED, RECOVERED, INVENTED = 0, 1, 2
NAMES = ("measured", "recovered", "invented")
Classes = npt.NDArray[np.uint8]


def classify(signal: FloatArray, tau: float) -> Classes:
    """Class of every pixel of a signal (3, H, W) -> (H, W).

    measured : no channel reaches the mask (eq. 1); the tone curve tells the light, the D-net adds nothing
    invented : all channels are clipped; the level is the B-net's guess, the detail the D-net's
    recovered : between: a channel is in the mask, and another one still tells something

    Parameters
    ----------
    tau : signal at which the mask begins; a channel is clipped from `mask.CLIPPED_SIGNAL` on, and within the mask only
    """
    height, width = signal.shape[1:]
    classes = np.empty((height, width), np.uint8)
    clipped = max(CLIPPED_SIGNAL, tau)

    def strip(rows: slice) -> None:
        red, green, blue = (np.ascontiguousarray(channel, np.float32) for channel in signal[:, rows])
        most, least = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
        part = classes[rows]
        part[:] = MEASURED
        part[most > np.float32(tau)] = RECOVERED
        part[(least >= np.float32(clipped)) & (least > np.float32(tau))] = INVENTED

    for_each(strip, height, width)
    return classes


def shares(classes: Classes) -> dict[str, float]:
    """Share of the pixels of each class, by name; their sum is 1."""
    counts = np.bincount(classes.ravel(), minlength=len(NAMES))
    return {name: float(count / classes.size) for name, count in zip(NAMES, counts, strict=True)}
