"""The nets in the order of the method, for training and validation: eager modules, whole tensors, nothing on disk."""

from dataclasses import dataclass

import torch

from sdr2hdr.decompose import decompose
from sdr2hdr.mask import clipped_share, soft_mask, threshold
from sdr2hdr.networks.base import BaseNet
from sdr2hdr.networks.inpaint import DetailNet
from sdr2hdr.networks.unet import RefineNet

LEAST = 1e-3  # PQ: denominators of detail layers stay above


@dataclass(frozen=True)
class Chain:
    """The three nets; a missing one is skipped, its layer is the input's own."""

    base: BaseNet
    detail: DetailNet | None = None
    refine: RefineNet | None = None


def thresholds(signal: torch.Tensor) -> torch.Tensor:
    """tau of every picture of a batch, (N,), from its share of clipped pixels."""
    return torch.tensor([threshold(clipped_share(picture)) for picture in signal], device=signal.device)


def ratio(picture: torch.Tensor, base: torch.Tensor) -> torch.Tensor:
    """Detail layer of a PQ picture: picture / base, guarded where the base is black."""
    return picture.clamp(min=LEAST) / base.clamp(min=LEAST)


def blend(predicted: torch.Tensor, own: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Hd' = M Hd + (1 - M) own: the prediction only where the picture was clipped."""
    return torch.lerp(own, predicted, mask)


def reconstruct(chain: Chain, signal: torch.Tensor) -> torch.Tensor:
    """SDR signal (N, 3, H, W) -> PQ, BT.2020, at the same size."""
    base = decompose(signal).base
    mask = soft_mask(signal, thresholds(signal))
    hdr_base, knots = chain.base(base, mask)
    mapped, mapped_base = chain.base.mapped(signal, knots), chain.base.mapped(base, knots)
    own = ratio(mapped, mapped_base)
    detail = own if chain.detail is None else blend(chain.detail(own, mask), own, mask)
    joined = hdr_base * detail
    return joined if chain.refine is None else chain.refine(joined, mapped, mask)
