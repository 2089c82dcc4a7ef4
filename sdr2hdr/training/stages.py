"""The stages of the training as data: what is trained, by which loss, on what, how long (paper, 3.2 and 4.2)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from sdr2hdr.mask import CLIPPED_SIGNAL
from sdr2hdr.training.adversary import Adversary
from sdr2hdr.training.chain import Chain, ratio, taken
from sdr2hdr.training.crops import Layers
from sdr2hdr.training.losses import context_loss, pconv_loss
from sdr2hdr.training.losses_coarse import Views, coarse_loss

CLIPPED_WEIGHT = 5.0  # of clipped pixels in B's and R's losses: plain L1 (eq. 2) leaves them at SDR white
BETA = 0.1  # PQ: below it errors count by their squares, as the figures do
JOINT_BASE = 0.3  # weight of B's own loss when all nets are trained for the result

Terms = dict[str, torch.Tensor]
Loss = Callable[[Chain, Layers, Adversary | None], Terms]


@dataclass(frozen=True)
class Stage:
    """One stage.

    trained : beginnings of the names of the chain's parameters that are trained
    loss : of windows out of the pool; None, whole views drawn on the fly and the coarse scale's loss
    through : the figures are of the chain up to this net
    views, windows, crop : per step, so many windows of `crop` pixels out of each of so many views
    steps, rate : of AdamW, cosine decay
    critics : train two critics beside it
    negatives : share of whole views without any highlight; None, the look's
    """

    trained: tuple[str, ...]
    loss: Loss | None
    through: str
    views: int = 2
    windows: int = 8
    crop: int = 128
    steps: int = 1000
    rate: float = 5e-4
    critics: bool = False
    negatives: float | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The nets that are trained, or parts of which are."""
        return tuple(dict.fromkeys(name.partition(".")[0] for name in self.trained))

    def trains(self, name: str) -> bool:
        """Is the parameter of this name (in the chain) trained?"""
        return name.startswith(self.trained)


def weighted(prediction: torch.Tensor, reference: torch.Tensor, signal: torch.Tensor) -> torch.Tensor:
    """Smooth L1 with clipped pixels five times; all (N, 3, h, w)."""
    weight = 1 + (CLIPPED_WEIGHT - 1) * (signal.amax(1, keepdim=True) >= CLIPPED_SIGNAL).float()
    return (weight * F.smooth_l1_loss(prediction, reference, beta=BETA, reduction="none")).mean()


def base_loss(chain: Chain, layers: Layers, adversary: Adversary | None = None) -> Terms:
    """Eq. 2 on the base layer."""
    hdr_base = chain.base.refine(layers.base, layers.mask, layers.start, layers.level)
    return {"base": weighted(hdr_base, layers.hdr_base, layers.signal)}


def partial_loss(chain: Chain, layers: Layers, adversary: Adversary | None = None) -> Terms:
    """Eq. 6 on part a's detail layer."""
    made = chain.detail.fill(layers.own, layers.mask)
    return {"pconv": pconv_loss(made, ratio(layers.hdr, layers.hdr_base), layers.mask)}


def detail_loss(chain: Chain, layers: Layers, adversary: Adversary | None = None) -> Terms:
    """Eq. 8 on both parts' detail layer; without an adversary its last term is left out."""
    made, real = chain.detail(layers.own, layers.mask), ratio(layers.hdr, layers.hdr_base)
    scores = adversary.scores(made, real, layers.mask) if adversary else []
    return {"context": context_loss(made, real, layers.mask, *scores)}


def _taken(chain: Chain, layers: Layers, hdr_base: torch.Tensor) -> torch.Tensor:
    made = chain.detail(layers.own, layers.mask)
    return taken(chain.base, layers.base, hdr_base, layers.mapped_base, made, layers.own, layers.mask)


def refine_loss(chain: Chain, layers: Layers, adversary: Adversary | None = None) -> Terms:
    """Eq. 2 on the result, B and D frozen."""
    with torch.no_grad():
        hdr_base = chain.base.refine(layers.base, layers.mask, layers.start, layers.level)
        detail = _taken(chain, layers, hdr_base)
    result = chain.refine(hdr_base * detail, layers.mapped, layers.mask)
    return {"refine": weighted(result, layers.hdr, layers.signal)}


def joint_loss(chain: Chain, layers: Layers, adversary: Adversary | None = None) -> Terms:
    """Eq. 2 on the result and on B's base layer."""
    hdr_base = chain.base.refine(layers.base, layers.mask, layers.start, layers.level)
    result = chain.refine(hdr_base * _taken(chain, layers, hdr_base), layers.mapped, layers.mask)
    return {
        "result": weighted(result, layers.hdr, layers.signal),
        "base": JOINT_BASE * weighted(hdr_base, layers.hdr_base, layers.signal),
    }


STAGES = {
    "base-coarse": Stage(("base.coarse_net.",), None, "base", views=16, steps=4000, rate=1e-3),
    "base-judge": Stage(  # whether there are highlights at all, the rest of the coarse scale frozen
        ("base.coarse_net.sure.",),
        None,
        "base",
        views=16,
        steps=1500,
        rate=1e-3,
        negatives=0.25,
    ),
    "base": Stage(("base.fine_net.",), base_loss, "base"),
    "detail-partial": Stage(
        ("detail.body.fill.", "detail.last_fill."), partial_loss, "detail", views=2, windows=2, crop=256
    ),
    "detail-context": Stage(
        ("detail.body.context.", "detail.last_context."),
        detail_loss,
        "detail",
        views=2,
        windows=2,
        crop=256,
        critics=True,
    ),
    "refine": Stage(("refine.",), refine_loss, "refine", views=2, windows=6, crop=160),
    "joint": Stage(
        ("base.fine_net.", "detail.", "refine."),
        joint_loss,
        "refine",
        views=2,
        windows=1,
        crop=480,
        rate=1e-4,
    ),
}


def terms(stage: Stage, chain: Chain, batch: Views | Layers, adversary: Adversary | None = None) -> Terms:
    """Terms of the stage's loss on one batch of its feed."""
    if stage.loss is None:
        assert isinstance(batch, Views)
        return coarse_loss(chain.base, batch)
    assert isinstance(batch, Layers)
    return stage.loss(chain, batch, adversary)
