"""Residual U-Net: the body of B-net's two scales and of R-net (paper, 3.2.1 and 3.2.3).

The paper's plain ReLU lets the deep levels die once the residual is small; residual blocks with leaky ReLU keep them
alive. Heavy layers live in `body`, whose weights may be bfloat16; the last layer and every sum with the picture are
float32. The last layer starts at zero: an untrained net changes nothing.
"""

import itertools

import torch
import torch.nn.functional as F
from torch import nn

SLOPE = 0.1  # of the leaky ReLU


def pad_to_multiple(x: torch.Tensor, multiple: int) -> torch.Tensor:
    """(N, C, H, W) -> the same, replicated at the right and lower border until both sides divide by `multiple`."""
    down, right = -x.shape[-2] % multiple, -x.shape[-1] % multiple
    if down == 0 and right == 0:
        return x
    return F.pad(x, [0, right, 0, down], mode="replicate")


class ResidualBlock(nn.Module):
    """x + conv(act(conv(act(x)))), width unchanged. `slope` 0 gives the paper's ReLU."""

    def __init__(self, width: int, slope: float) -> None:
        super().__init__()
        self.slope = slope
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, width, H, W) -> the same shape."""
        y = self.first(F.leaky_relu(x, self.slope))
        return x + self.second(F.leaky_relu(y, self.slope))


class Body(nn.Module):
    """Encoder and decoder with skips; (N, inputs, H, W) -> (N, widths[0], H, W), H and W multiples of `multiple`."""

    def __init__(self, inputs: int, widths: list[int], slope: float, dropout: float) -> None:
        super().__init__()
        self.multiple = 2 ** (len(widths) - 1)
        self.slope, self.dropout = slope, dropout
        self.stem = nn.Conv2d(inputs, widths[0], 3, padding=1)
        self.encoders = nn.ModuleList(ResidualBlock(w, slope) for w in widths)
        pairs = list(itertools.pairwise(widths))
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairs)
        self.ups = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in reversed(pairs))
        self.decoders = nn.ModuleList(ResidualBlock(a, slope) for a, _ in reversed(pairs))

    def begin_wide(self) -> None:
        """Start weights of He's spread (He et al. 2015), half of it at the end of each residual block.

        PyTorch's own start halves the features at every level; from this one a picture's statistics are learned in a
        fifth of the steps. The halves keep the sums small, for bfloat16's sake.
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, self.slope)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        for block in [*self.encoders, *self.decoders]:
            with torch.no_grad():
                block.second.weight.mul_(0.5)

    def encode(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Features of every level, finest first."""
        x = self.encoders[0](self.stem(x))
        levels = [x]
        for i, down in enumerate(self.downs):
            x = down(F.max_pool2d(x, 2))
            for j, block in enumerate(self.encoders):  # TorchScript indexes module lists by constants only
                if j == i + 1:
                    x = block(x)
            levels.append(x)
        return levels

    def decode(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """Features of every level -> features of the finest."""
        x = levels[-1]
        for i, (up, block) in enumerate(zip(self.ups, self.decoders)):  # noqa: B905 (TorchScript)
            # a 1 x 1 convolution commutes with nearest up-sampling and is four times cheaper before it
            x = F.interpolate(up(x), scale_factor=2.0, mode="nearest") + levels[len(levels) - 2 - i]
            x = block(F.dropout(x, self.dropout, self.training))
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) -> (N, widths[0], H, W)."""
        return self.decode(self.encode(x))


class ResidualUNet(nn.Module):
    """Pads, runs the body in the type of its weights, and returns a float32 residual of three channels."""

    def __init__(self, inputs: int, widths: list[int], slope: float = SLOPE, dropout: float = 0.02) -> None:
        super().__init__()
        self.slope = slope
        self.body = Body(inputs, widths, slope, dropout)
        self.last = nn.Conv2d(widths[0], 3, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) float32 -> residual (N, 3, H, W) float32."""
        height, width = x.shape[-2], x.shape[-1]
        x = pad_to_multiple(x, self.body.multiple)
        y = self.body(x.to(self.body.stem.weight.dtype)).to(self.last.weight.dtype)
        return self.last(F.leaky_relu(y, self.slope))[..., :height, :width]


class RefineNet(nn.Module):
    """R-net: h = J + residual (paper, 3.2.3).

    widths : channels per level
    slope : of the leaky ReLU; 0 is the paper's ReLU
    """

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64), slope: float = SLOPE) -> None:
        super().__init__()
        self.unet = ResidualUNet(9, list(widths), slope)

    def forward(self, joined: torch.Tensor, mapped: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Join of the layers J, mapped picture D'(s) (both PQ, BT.2020) and mask -> PQ, all (N, 3, H, W)."""
        return joined + self.unet(torch.cat([joined, mapped, mask], 1))
