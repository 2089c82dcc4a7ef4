"""Figures on a folder of pairs: NAME_sdr.png, NAME_hdr.exr (linear BT.2020, 1.0 = 203 cd/m2; or PQ in .jp2)."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch

from sdr2hdr.color.gamut import luminance
from sdr2hdr.color.transfer import pq_decode, pq_encode
from sdr2hdr.errors import InputError
from sdr2hdr.image import SDR_WHITE_NITS
from sdr2hdr.mask import CLIPPED_SIGNAL
from sdr2hdr.training.pictures import load_light

FULLY_CLIPPED = 0.99  # every channel at least this: nothing is left but the level


@cache
def pairs(folder: Path) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
    """Name, SDR signal (1, 3, H, W), reference in cd/m2 (1, 3, H, W) of every pair.

    Raises
    ------
    InputError
        No pair in the folder, or one half of a pair is missing or unreadable.
    """
    found = []
    for path in sorted([*folder.glob("*_hdr.exr"), *folder.glob("*_hdr.jp2")]):
        name = path.stem.removesuffix("_hdr")
        codes = cv2.imread(str(folder / f"{name}_sdr.png"), cv2.IMREAD_COLOR)
        if codes is None:
            raise InputError(f"{folder / name}_sdr.png: missing or unreadable")
        signal = torch.from_numpy(codes[..., ::-1].astype(np.float32) / 255).permute(2, 0, 1)[None]
        light = torch.from_numpy(load_light(path)).permute(2, 0, 1)[None]
        found.append((name, signal.contiguous(), light.contiguous() * SDR_WHITE_NITS))
    if not found:
        raise InputError(f"{folder}: no pairs NAME_sdr.png, NAME_hdr.exr (or .jp2) in it")
    return found


def _psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(-10 * ((a - b).double() ** 2).mean().clamp(min=1e-10).log10())


def figures(signal: torch.Tensor, pq: torch.Tensor, nits: torch.Tensor) -> dict[str, float]:
    """PQ-PSNR whole and over clipped pixels, absolute and after one gain.

    signal, pq (prediction), nits (reference) : (1, 3, H, W)
    """
    clipped = signal.amax(1) >= CLIPPED_SIGNAL
    reference = pq_encode(nits)
    light = pq_decode(pq)
    yp, yr = luminance(light), luminance(nits)
    middle = ~clipped & (yp > 1) & (yr > 1)
    gain = float((yr[middle] / yp[middle]).median()) if int(middle.sum()) > 100 else 1.0
    aligned = pq_encode(light * gain)
    where = clipped[:, None].expand_as(pq)
    return {
        "absolute.PQ": _psnr(pq, reference),
        "absolute.clip": _psnr(pq[where], reference[where]) if bool(clipped.any()) else float("nan"),
        "aligned.PQ": _psnr(aligned, reference),
        "aligned.clip": _psnr(aligned[where], reference[where]) if bool(clipped.any()) else float("nan"),
    }


def fully_clipped(signal: torch.Tensor, pq: torch.Tensor, nits: torch.Tensor) -> torch.Tensor:
    """Predicted and true PQ of the brightest channel in fully clipped areas, (2, K)."""
    where = signal.amin(1) >= FULLY_CLIPPED
    return torch.stack([pq.amax(1)[where], pq_encode(nits).amax(1)[where]])


def validate(predict: Callable[[torch.Tensor], torch.Tensor], folder: Path) -> dict[str, float]:
    """Means over the folder's pictures of `figures`, and level.correlation, level.sd, level.sd_true over all their
    fully clipped pixels. `predict` maps an SDR signal (1, 3, H, W) to PQ in BT.2020.
    """
    rows, levels = [], []
    with torch.no_grad():  # the solver writes from threads, which inference tensors forbid
        for _, signal, nits in pairs(folder):
            pq = predict(signal)
            rows.append(figures(signal, pq, nits))
            levels.append(fully_clipped(signal, pq, nits))
    mean = {key: float(np.nanmean([row[key] for row in rows])) for key in rows[0]}
    both = torch.cat(levels, 1).double()
    mean["level.correlation"] = float(torch.corrcoef(both)[0, 1]) if both.shape[1] > 100 else float("nan")
    mean["level.sd"], mean["level.sd_true"] = float(both[0].std()), float(both[1].std())
    return mean
