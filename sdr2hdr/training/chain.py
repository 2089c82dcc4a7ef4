"""The nets in the order of the method, for training and validation: eager modules, whole tensors, nothing on disk."""

import torch
from torch import nn

from sdr2hdr.decompose import decompose
from sdr2hdr.mask import clipped_share, only_raised, soft_mask, threshold
from sdr2hdr.networks.base import BaseNet
from sdr2hdr.networks.inpaint import DetailNet
from sdr2hdr.networks.unet import RefineNet

LEAST = 1e-3  # PQ: denominators of detail layers stay above
ORDER = ("base", "detail", "refine")


class Chain(nn.Module):
    """The three nets."""

    def __init__(self, base: BaseNet, detail: DetailNet, refine: RefineNet) -> None:
        super().__init__()
        self.base, self.detail, self.refine = base, detail, refine


def thresholds(signal: torch.Tensor) -> torch.Tensor:
    """tau of every picture of a batch, (N,), from its share of clipped pixels."""
    return torch.tensor([threshold(clipped_share(picture)) for picture in signal], device=signal.device)


def ratio(picture: torch.Tensor, base: torch.Tensor) -> torch.Tensor:
    """Detail layer of a PQ picture: picture / base, guarded where the base is black."""
    return picture.clamp(min=LEAST) / base.clamp(min=LEAST)


def taken(
    base: BaseNet,
    layer: torch.Tensor,
    hdr_base: torch.Tensor,
    mapped_base: torch.Tensor,
    invented: torch.Tensor,
    own: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """Hd' as conversion makes it (`only_raised`); `layer` is Sb, all (N, 3, H, W)."""
    if base.display:
        mapped_base = base.mapped(layer, mapped_base.new_zeros(layer.shape[0], 3, base.tone_knots))
    return only_raised(mask, invented, own, hdr_base, mapped_base)


def reconstruct(chain: Chain, signal: torch.Tensor, through: str = "refine") -> torch.Tensor:
    """SDR signal (N, 3, H, W) -> PQ, BT.2020, at the same size.

    through : the last net that takes part, one of `ORDER`; the layer of a net that does not is the input's own
    """
    base = decompose(signal).base
    mask = soft_mask(signal, thresholds(signal))
    hdr_base, knots = chain.base(base, signal, mask)
    mapped, mapped_base = chain.base.mapped(signal, knots), chain.base.mapped(base, knots)
    detail = ratio(mapped, mapped_base)
    if through != "base":
        detail = taken(chain.base, base, hdr_base, mapped_base, chain.detail(detail, mask), detail, mask)
    joined = hdr_base * detail
    return chain.refine(joined, mapped, mask) if through == "refine" else joined
