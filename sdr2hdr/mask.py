"""The soft mask (eq. 1 of the paper): where, and how surely, clipping took light."""

import numpy as np
import torch

CLIPPED_SIGNAL = 0.95  # a pixel is clipped when its largest channel reaches this; the figures too
SHARES = (0.0, 0.005, 0.10, 0.25)  # share of clipped pixels in a picture ...
THRESHOLDS = (0.93, 0.905, 0.895, 0.85)  # ... and the threshold for it; linear between, constant beyond
RAISED = 0.02  # PQ above what it is mapped to at which a base counts as raised in full
THRESHOLD_RANGE = (0.75, 0.995)  # what any threshold may be, a user's as well


def clipped_share(signal: torch.Tensor) -> float:
    """Share of the pixels of a signal (..., 3, H, W) whose largest channel reaches `CLIPPED_SIGNAL`."""
    return float((signal.amax(dim=-3) >= CLIPPED_SIGNAL).float().mean())


def threshold(clipped_share: float) -> float:
    """Signal tau at which the mask begins, from the share of clipped pixels in [0, 1].

    Falls with the share, because an exposure that clips much of a picture has also pushed more of the rest
    into the shoulder of the response: 0.93 where nothing is clipped, close to 0.9 over the common range
    (0.5 to 10 %), 0.85 from 25 % on; linear between.
    """
    return float(np.interp(clipped_share, SHARES, THRESHOLDS))


def soft_mask(signal: torch.Tensor, tau: float | torch.Tensor) -> torch.Tensor:
    """M_c = max(0, S_c - tau) / (1 - tau) for each channel c (eq. 1).

    The paper takes S for the base layer. The nets here get the signal's own mask: a lamp or a glint of a few pixels,
    which the base layer smooths away, is clipped all the same.

    Parameters
    ----------
    signal : (N, 3, H, W), [0, 1]
    tau : threshold in [0, 1), one for all or (N,), one a picture

    Returns
    -------
    (N, 3, H, W), [0, 1]: 0 below tau, 1 at full signal
    """
    if isinstance(tau, torch.Tensor):
        tau = tau.to(signal).reshape(-1, 1, 1, 1)
    return ((signal - tau) / (1 - tau)).clamp(0, 1)


def only_raised(
    mask: torch.Tensor,
    invented: torch.Tensor,
    own: torch.Tensor,
    hdr_base: torch.Tensor,
    mapped_base: torch.Tensor,
) -> torch.Tensor:
    """Hd' = M Hd + (1 - M) own, with invented detail taken only where the base was raised, and only added.

    What has not been raised is paper, and what the D-net took for lost between its letters was never there. Detail that
    took light away would make a brighter pixel the darker one. Either costs decibels, too (`weights/README.md`).

    Parameters
    ----------
    mask, invented, own : (N, 3, H, W); detail layers of the D-net and of the input
    hdr_base, mapped_base : (N, 3, H, W); Hb and what Sb is mapped to without it, PQ, BT.2020: by the picture's tone
        curve in the scene look, directly in the display look, whose curve raises, too
    """
    where = mask * ((hdr_base - mapped_base).amax(1, keepdim=True) / RAISED).clamp(0, 1)
    return where * torch.maximum(invented, own) + (1 - where) * own
