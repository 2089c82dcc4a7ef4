"""The stages of the training as data: which net, which loss, how long (paper, 3.2 and 4.2)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from sdr2hdr.mask import CLIPPED_SIGNAL
from sdr2hdr.networks.base import BaseNet
from sdr2hdr.networks.inpaint import DetailNet
from sdr2hdr.networks.unet import RefineNet
from sdr2hdr.training.chain import Chain, blend, ratio
from sdr2hdr.training.crops import Layers
from sdr2hdr.training.losses import context_loss, pconv_loss

CLIPPED_WEIGHT = 5.0  # of clipped pixels in B's and R's losses: plain L1 (eq. 2) leaves them at SDR white
BETA = 0.1  # PQ: below it errors count by their squares, as the figures do

Terms = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Stage:
    """One stage.

    role : which net is trained; trained : prefixes of its parameters that are, all if empty
    views, windows, crop : per step, so many windows of `crop` pixels out of each of so many views
    steps, rate : of AdamW, cosine decay
    """

    name: str
    role: str
    trained: tuple[str, ...]
    loss: Callable[[nn.Module, Layers, Chain], Terms] | None
    views: int = 4
    windows: int = 4
    crop: int = 128
    steps: int = 1000
    rate: float = 5e-4


def weighted(prediction: torch.Tensor, reference: torch.Tensor, signal: torch.Tensor) -> torch.Tensor:
    """Smooth L1 with clipped pixels five times; all (N, 3, h, w)."""
    weight = 1 + (CLIPPED_WEIGHT - 1) * (signal.amax(1, keepdim=True) >= CLIPPED_SIGNAL).float()
    return (weight * F.smooth_l1_loss(prediction, reference, beta=BETA, reduction="none")).mean()


def base_loss(net: nn.Module, layers: Layers, chain: Chain) -> Terms:
    """Eq. 2 on the base layer."""
    assert isinstance(net, BaseNet)
    hdr_base = net.refine(layers.base, layers.mask, layers.start, layers.level)
    return {"base": weighted(hdr_base, layers.hdr_base, layers.signal)}


def partial_loss(net: nn.Module, layers: Layers, chain: Chain) -> Terms:
    """Eq. 6 on part a's detail layer."""
    assert isinstance(net, DetailNet)
    return {
        "pconv": pconv_loss(
            net.fill(layers.own, layers.mask), ratio(layers.hdr, layers.hdr_base), layers.mask
        )
    }


def detail_loss(net: nn.Module, layers: Layers, chain: Chain) -> Terms:
    """Eq. 8 on both parts' detail layer, without the critics."""
    assert isinstance(net, DetailNet)
    return {
        "context": context_loss(net(layers.own, layers.mask), ratio(layers.hdr, layers.hdr_base), layers.mask)
    }


def refine_loss(net: nn.Module, layers: Layers, chain: Chain) -> Terms:
    """Eq. 2 on the result, B and D frozen."""
    assert isinstance(net, RefineNet)
    with torch.no_grad():
        hdr_base = chain.base.refine(layers.base, layers.mask, layers.start, layers.level)
        detail = layers.own
        if chain.detail is not None:
            detail = blend(chain.detail(layers.own, layers.mask), layers.own, layers.mask)
        joined = hdr_base * detail
    return {"refine": weighted(net(joined, layers.mapped, layers.mask), layers.hdr, layers.signal)}


STAGES = {
    stage.name: stage
    for stage in (
        Stage("base-coarse", "base", ("coarse_net.",), None, views=16, steps=4000, rate=1e-3),
        Stage("base", "base", ("fine_net.",), base_loss),
        Stage(
            "detail-partial",
            "detail",
            ("body.fill.", "last_fill."),
            partial_loss,
            windows=2,
            crop=256,
            views=2,
        ),
        Stage(
            "detail-context",
            "detail",
            ("body.context.", "last_context."),
            detail_loss,
            windows=2,
            crop=256,
            views=2,
        ),
        Stage("refine", "refine", (), refine_loss, windows=3, crop=160),
    )
}
