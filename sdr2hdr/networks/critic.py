"""Critics of WGAN-GP (Gulrajani et al. 2017; paper, 3.2.2): how natural a detail layer looks, whole or in its holes."""

import itertools
from typing import Final

import torch
import torch.nn.functional as F
from torch import nn

from sdr2hdr.errors import UsageError
from sdr2hdr.networks.inpaint import contrast

SLOPE = 0.2  # of the leaky ReLU


def activate(x: torch.Tensor, slope: float = SLOPE) -> torch.Tensor:
    """Leaky ReLU."""
    return F.leaky_relu(x, slope)


class Critic(nn.Module):
    """Strided 5 x 5 convolutions and a score per place; no normalisation, which the gradient penalty forbids.

    Parameters
    ----------
    width : channels of the first layer; they double with each of the `depth` layers, up to four times `width`
    local : False, the global critic: the mean score of all places. True, the local critic: the picture is multiplied
        by the mask and the places' scores are weighed by it, so that only the holes count; 0 where there are none
    """

    local: Final[bool]

    def __init__(self, width: int = 24, depth: int = 4, local: bool = False) -> None:
        super().__init__()
        if width < 1 or depth < 1:
            raise UsageError(f"critic of width {width} and depth {depth}: both must be at least 1")
        self.local = local
        widths = [6, *[width * min(2**i, 4) for i in range(depth)]]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 5, 2, 2) for a, b in itertools.pairwise(widths))
        self.score = nn.Conv2d(widths[-1], 1, 3, padding=1)
        for layer in (*self.layers, self.score):
            nn.init.kaiming_normal_(layer.weight, a=SLOPE)
            nn.init.zeros_(layer.bias)

    def forward(self, detail: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Detail layer and mask (N, 3, H, W), any size -> scores (N,), unbounded; higher is more like a real one."""
        x = contrast(detail - 1)
        if self.local:
            x = x * mask
        x = torch.cat([x, mask], 1)
        for layer in self.layers:
            x = activate(layer(x))
        scores: torch.Tensor = self.score(x)
        if not self.local:
            return scores.mean([1, 2, 3])
        weight = F.interpolate(mask.amax(1, keepdim=True), [x.shape[-2], x.shape[-1]], mode="area")
        return (scores * weight).sum([1, 2, 3]) / weight.sum([1, 2, 3]).clamp(min=1e-6)
