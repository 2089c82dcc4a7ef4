"""Loss of B-net's coarse scale: the tone curve on what is not clipped, the levels where the mask is."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from sdr2hdr.mask import CLIPPED_SIGNAL
from sdr2hdr.networks.base import BaseNet

BT709_LUMINANCE = (0.2126, 0.7152, 0.0722)  # ITU-R BT.709-6, 3.2
LEVEL_WEIGHT = 2.0
LEVEL_BETA = 0.1  # PQ, smooth L1
FEW = 40.0  # mask-weighted cells below which a picture counts less
SURE_WEIGHT = 0.05
SURE_MARGIN = 0.3  # a picture without highlights is to be so far beyond doubt
SHOULDER = 0.4  # signal above which a picture of the display look may have been raised
CELL = 8  # pixels of a view: noise and blocks are gone from the mean of a cell, a lamp is not
QUIET_EXCESS = 0.012  # PQ: surely no highlights
LIVELY_EXCESS = 0.03  # PQ: surely some
REAL_CURVE = (
    0.5  # weight of the curve on a camera's own pairs: few responses, and the net knows the pictures by heart
)
ANCHOR = 0.15  # weight of the anchored scale on pairs whose scale is only estimated


def fit_gain(predicted: torch.Tensor, reference: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Median ratio predicted / reference over `valid`; luminances in cd/m2 and valid (N, H, W) -> (N, 1, 1, 1)."""
    a, b, valid = predicted, reference, valid & (predicted > 1) & (reference > 1)
    log = torch.where(valid, (a.clamp(min=1e-3) / b.clamp(min=1e-3)).log(), torch.nan)
    return log.flatten(1).nanmedian(1).values.nan_to_num(0.0).exp()[:, None, None, None]


@dataclass(frozen=True)
class Views:
    """Whole views.

    signal, mask, pq : (N, 3, H, W); pq is the reference in BT.709 primaries
    real : (N,) bool, the scale of these references is only estimated
    """

    signal: torch.Tensor
    mask: torch.Tensor
    pq: torch.Tensor
    real: torch.Tensor


def brightest_excess(target: torch.Tensor, mapped: torch.Tensor, signal: torch.Tensor) -> torch.Tensor:
    """How far the reference lies above what is `mapped` in the cell where it does most, PQ; (N, 3, H, W) -> (N,).

    In the display look that is the direct mapping, and `signal` the picture; in the scene look the tone curve, with the
    mask instead of the signal: what is not clipped has no highlights there.
    """
    excess = (target - mapped) * (signal > SHOULDER)
    return F.avg_pool2d(excess.mean(1, keepdim=True), CELL // 2).flatten(1).amax(1)  # of every second pixel


def sure_loss(sure: torch.Tensor, excess: torch.Tensor) -> torch.Tensor:
    """Hinges: pictures with highlights are to be at 1 and above, those without below 0; what is in between may be.

    sure : (N, 1); excess : (N,) as `brightest_excess` gives it
    """
    lively = F.relu(1 - sure[:, 0]) * (excess > LIVELY_EXCESS)
    return (lively + F.relu(sure[:, 0] + SURE_MARGIN) * (excess < QUIET_EXCESS)).mean()


def coarse_loss(net: BaseNet, views: Views) -> dict[str, torch.Tensor]:
    """Terms of the loss, to be added up; where the scale of a reference is only estimated one gain is fitted."""
    signal, mask, pq, real = views.signal, views.mask, views.pq, views.real
    knots, levels, sure = net.judged(signal, mask)
    tone = net.tone
    row, column = (int(v) for v in torch.randint(0, 2, (2,)))  # every second pixel tells enough
    s, m, p = (t[..., row::2, column::2] for t in (signal, mask, pq))
    curve = tone.curve(s, knots)
    target = p
    if bool(real.any()):
        nits, reference = tone.decode(curve.detach()[real]), tone.decode(p[real])
        weights = nits.new_tensor(BT709_LUMINANCE)[:, None, None]
        luminances = (nits * weights).sum(1), (reference * weights).sum(1)
        gain = fit_gain(*luminances, s[real].amax(1) < CLIPPED_SIGNAL)
        target = p.clone()
        target[real] = tone.encode(reference * gain)
    open_ = (s < CLIPPED_SIGNAL).float()
    share = open_.mean((1, 2, 3)).clamp(min=0.05)
    error = ((curve - target).abs() * open_).mean((1, 2, 3)) / share
    counts = torch.ones_like(share)
    if net.display:  # a picture without highlights teaches that there are none, and nothing of curves
        excess = brightest_excess(target, tone.direct(s), s)
        counts = (excess >= QUIET_EXCESS).float()
        counts = counts / counts.mean().clamp(min=0.1)
    else:
        excess = brightest_excess(target, curve.detach(), m)
        error = error * torch.where(real, REAL_CURVE, 1.0)
    anchor = ((curve - p).abs() * open_).mean((1, 2, 3)) / share * real.float()
    grid = [levels.shape[-2], levels.shape[-1]]
    weight = F.interpolate(m * m, grid, mode="area")
    wanted = F.interpolate(m * (target - curve.detach()), grid, mode="area") / (weight + 1e-4)
    level = F.smooth_l1_loss(levels, wanted, beta=LEVEL_BETA, reduction="none")
    level = (weight * level).sum((1, 2, 3)) / (weight.sum((1, 2, 3)) + FEW)
    return {
        "curve": (counts * error).mean(),
        "level": LEVEL_WEIGHT * (counts * level).mean(),
        "anchor": ANCHOR * (counts * anchor).mean(),
        "sure": SURE_WEIGHT * sure_loss(sure, excess),
    }
