"""Partial convolution with a validity per colour channel (paper, eq. 3).

Clipping seldom takes all three colours at once, so every feature belongs to one colour and shares the validity of
that colour. Validity is 1 - mask: soft where the picture enters, 0 or 1 behind the first layer. Its arithmetic is
float32 and needs three channels only, whatever the number of features.
"""

from collections.abc import Sequence
from typing import Final

import torch
import torch.nn.functional as F
from torch import nn

from sdr2hdr.errors import UsageError


def mask_features(x: torch.Tensor, validity: torch.Tensor) -> torch.Tensor:
    """Features (N, C, H, W), C = 3c, times the validity (N, 3, H, W) of their colour: channels 0 .. c-1 are red's."""
    grouped = x.view(x.shape[0], 3, -1, x.shape[2], x.shape[3])
    return (grouped * validity.to(x.dtype).unsqueeze(2)).flatten(1, 2)


class PartialConv2d(nn.Module):
    """x' = (W (x * V)) alpha + b where the window holds a valid pixel of the output's own colour, 0 elsewhere.

    alpha = (window size) / (sum of validity over the window), over the colours of all inputs, each with its share of
    the channels. Only what lies inside the picture counts as window, so that full validity gives the ordinary
    zero-padded convolution at the borders too. The new validity of a colour is 1 where x' was computed, else 0.

    Parameters
    ----------
    sources : channels of each tensor that was concatenated to the input; multiples of 3, in each the first third of
        the channels is red's, then green's, then blue's
    out_channels : a multiple of 3, in the same order
    kernel_size : odd
    masked : the input is already multiplied by its validity (outputs of this layer are); saves the product

    Notes
    -----
    A pixel counts as valid above a validity of 0.05: with the thresholds in use the mask of a pixel one 8-bit code
    below clipping leaves it about 0.04, and such pixels say nothing about texture.
    """

    VALID: Final[float] = 0.05

    def __init__(
        self,
        sources: Sequence[int],
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        masked: bool = False,
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0 or any(c < 1 or c % 3 for c in [*sources, out_channels]):
            raise UsageError(
                f"partial convolution {list(sources)} -> {out_channels}, kernel {kernel_size}: channels must be "
                f"multiples of 3 and the kernel odd"
            )
        self.sources: list[int] = list(sources)
        self.kernel_size, self.stride, self.masked = kernel_size, stride, masked
        self.weight = nn.Parameter(torch.empty(out_channels, sum(sources), kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        nn.init.kaiming_normal_(self.weight, a=0.1)

    def coverage(self, validity: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Validity (N, 3S, H, W) of S sources -> its mean over the window (N, 1, h, w), new validity (N, 3, h, w)."""
        best = validity[:, :3]
        total = self.sources[0] * best.mean(1, keepdim=True)
        for i, width in enumerate(self.sources):
            if i > 0:
                source = validity[:, 3 * i : 3 * i + 3]
                total = total + width * source.mean(1, keepdim=True)
                best = torch.maximum(best, source)
        k, s, p = self.kernel_size, self.stride, self.kernel_size // 2
        mean = F.avg_pool2d(total / self.weight.shape[1], k, s, p, count_include_pad=False)
        # counting with a convolution is ten times faster than max-pooling
        ones = torch.ones(3, 1, k, k, device=best.device)
        return mean, (F.conv2d((best > self.VALID).float(), ones, None, s, p, 1, 3) > 0.5).float()

    def forward(self, x: torch.Tensor, validity: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features (N, sum(sources), H, W), validity (N, 3 len(sources), H, W) -> features, validity (N, 3, h, w)."""
        if not self.masked:
            parts: list[torch.Tensor] = []
            start = 0
            for i, width in enumerate(self.sources):
                known = validity[:, 3 * i : 3 * i + 3]
                parts.append(mask_features(x[:, start : start + width], known))
                start += width
            x = torch.cat(parts, 1)
        mean, seen = self.coverage(validity)
        alpha = (seen / mean.clamp(min=1e-6)).to(x.dtype)  # 0 where nothing is valid
        # a product with a one-hot matrix carries a colour's number to its features: faster than broadcasting
        colour = torch.eye(3, dtype=x.dtype, device=x.device)
        colour = colour.repeat_interleave(self.bias.shape[0] // 3, 1)
        scale = torch.matmul(alpha.permute(0, 2, 3, 1), colour).permute(0, 3, 1, 2)
        bias = torch.matmul(seen.to(x.dtype).permute(0, 2, 3, 1), colour * self.bias.to(x.dtype)).permute(
            0, 3, 1, 2
        )
        y = F.conv2d(x, self.weight, None, self.stride, self.kernel_size // 2)
        return torch.addcmul(bias, y, scale), seen
