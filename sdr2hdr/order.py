"""Order of brightness: the clipped core of a light is never darker than the rim around it."""

import cv2
import numpy as np
import numpy.typing as npt
import torch

CORE = 0.98  # a pixel belongs to a core when its largest channel reaches this signal
RIM = 0.9  # and to a rim from this one on
REACH = 5  # pixels, odd: width of the window in which a rim belongs to a core


def raise_cores(pq: torch.Tensor, mapped: torch.Tensor, signal: torch.Tensor) -> torch.Tensor:
    """Lift a core above what it is mapped to by at least as much as its rim is on average; the same in all channels.

    The nets see a clipped sun as one white; where they set it lower than its half-clipped rim, which they can read, it
    would be a ring. The mapping itself has the core above the rim, and stays what it is where nothing is lifted.

    Parameters
    ----------
    pq, mapped : (1, 3, H, W) result and mapped picture in PQ; the first is changed in place, and given back
    signal : (1, 3, H, W) SDR signal
    """
    top = signal[0].amax(0).cpu().numpy()
    core = (top >= CORE).astype(np.uint8)
    count, labels = cv2.connectedComponents(core, connectivity=8)
    rim = (core == 0) & (top >= RIM)
    near = cv2.dilate(labels.astype(np.float32), np.ones((REACH, REACH), np.uint8)).astype(np.int32)
    rim &= near > 0
    if count < 2 or not rim.any():
        return pq
    lift = (pq - mapped)[0].amax(0).cpu().numpy()
    least = _means(lift[rim], near[rim], count)
    missing = np.where(core > 0, np.maximum(least[labels] - lift, 0), 0).astype(np.float32)
    pq += torch.from_numpy(missing).to(pq.device)
    return pq


def _means(
    values: npt.NDArray[np.float32], labels: npt.NDArray[np.int32], count: int
) -> npt.NDArray[np.float64]:
    """Mean of the values of every label, 0 where it has none."""
    sums = np.bincount(labels, values.astype(np.float64), count)
    means: npt.NDArray[np.float64] = sums / np.maximum(np.bincount(labels, minlength=count), 1)
    return means
