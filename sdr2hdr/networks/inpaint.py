"""D-net: texture for clipped areas of the detail layer Hd = H / Hb (paper, 3.2.2 and 4.2).

Part a, `FillBody`, is a U-Net of partial convolutions; part b, `ContextBody`, adds what a dilated branch and
contextual attention find in the surroundings. As in every net here the heavy layers live in `body`, whose weights may
be bfloat16; validity, softmax, the last layers and all sums with the picture are float32.
"""

import itertools
from typing import Final

import torch
import torch.nn.functional as F
from torch import nn

from sdr2hdr.errors import UsageError
from sdr2hdr.networks.attention import contextual_attention
from sdr2hdr.networks.partial import PartialConv2d
from sdr2hdr.networks.unet import SLOPE, pad_to_multiple

CONTRAST = 8.0  # detail is 1 +- a few hundredths; the nets see 8 (detail - 1)
LIMIT = 16.0  # of every feature; those of a trained net are about 1
REDUCTION = 8  # of the size at which attention looks
HOLE = 0.1  # a place is inside attention's mask where any channel's mask exceeds this


def holes(mask: torch.Tensor, reduction: int = REDUCTION, threshold: float = HOLE) -> torch.Tensor:
    """Mask (N, 3, H, W) -> which places of attention lie inside it, (N, 1, H/8, W/8), bool."""
    return F.max_pool2d(mask.amax(1, keepdim=True), reduction) > threshold


def double(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """(N, C, h, w) up-sampled by 2, nearest, and cropped to the size of `like`."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")[:, :, : like.shape[-2], : like.shape[-1]]


def activate(x: torch.Tensor, slope: float = SLOPE, limit: float = LIMIT) -> torch.Tensor:
    """Leaky ReLU. (TorchScript knows a constant of a module only as a default value.)

    Bounded above: at the front of a hole alpha of eq. 3 multiplies features by up to the window's size, layer after
    layer, and a hole wider than those of training would end in numbers of many digits.
    """
    return F.leaky_relu(x.clamp(-limit, limit), slope, inplace=True)


def contrast(x: torch.Tensor, gain: float = CONTRAST) -> torch.Tensor:
    """Detail minus 1, any shape -> what the layers see: 8 times as much, within +-8."""
    return (gain * x).clamp(-gain, gain)


class FillBody(nn.Module):
    """Part a: kernels 7, 5, 5, then 3; every layer carries a validity per colour.

    Levels halve (rounding up), so the deep ones, which reach into wide holes, need no padding and are nearly free.
    """

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        widths = [width * min(2**i, 4) for i in range(depth)]
        kernels = [5, 5] + [3] * depth
        pairs = list(itertools.pairwise(widths))
        self.first = PartialConv2d([3], width, 7, stride=2, masked=True)
        self.encoders = nn.ModuleList(
            PartialConv2d([a], b, k, stride=2, masked=True) for (a, b), k in zip(pairs, kernels, strict=False)
        )
        self.decoders = nn.ModuleList(PartialConv2d([b, a], a, 3, masked=True) for a, b in reversed(pairs))

    def forward(self, x: torch.Tensor, validity: torch.Tensor) -> torch.Tensor:
        """Masked contrast and validity (N, 3, H, W) -> features (N, width, H/2, W/2), 0 where nothing was filled."""
        x, validity = self.first(x, validity)
        x = activate(x)
        features, validities = [x], [validity]
        for encoder in self.encoders:
            x, validity = encoder(x, validity)
            x = activate(x)
            features.append(x)
            validities.append(validity)
        for i, decoder in enumerate(self.decoders):
            skip, known = features[len(features) - 2 - i], validities[len(features) - 2 - i]
            both = torch.cat([double(validity, known), known], 1)
            x, validity = decoder(torch.cat([double(x, skip), skip], 1), both)
            x = activate(x)
        return x


class ContextBody(nn.Module):
    """Part b: kernel 5, then 3; at an eighth of the size a dilated and an attention branch, joined by a decoder."""

    def __init__(self, width: int, patches: int) -> None:
        super().__init__()
        self.patches = patches
        deep = 3 * width
        self.first = nn.Conv2d(6, width, 5, 2, 2)
        self.second = nn.Conv2d(width, 2 * width, 3, 2, 1)
        self.third = nn.Conv2d(2 * width, deep, 3, 2, 1)
        self.dilated = nn.ModuleList(nn.Conv2d(deep, deep, 3, padding=d, dilation=d) for d in (2, 4, 8, 16))
        self.describe = nn.Conv2d(deep, width, 3, padding=1)
        self.attended = nn.Conv2d(width, width, 3, padding=1)
        self.join = nn.Conv2d(deep + width, 2 * width, 3, padding=1)
        self.to_quarter = nn.Conv2d(4 * width, 2 * width, 3, padding=1)
        self.to_half = nn.Conv2d(3 * width, width, 3, padding=1)

    def forward(self, x: torch.Tensor, hole: torch.Tensor) -> torch.Tensor:
        """Part a's contrast and the mask (N, 6, H, W), holes (N, 1, H/8, W/8) -> features (N, width, H/2, W/2)."""
        half = activate(self.first(x))
        quarter = activate(self.second(half))
        eighth = activate(self.third(quarter))
        y = eighth
        for layer in self.dilated:
            y = activate(layer(y))
        z = contextual_attention(activate(self.describe(eighth)), hole, self.patches)
        y = activate(self.join(torch.cat([y, activate(self.attended(z))], 1)))
        y = activate(self.to_quarter(torch.cat([double(y, quarter), quarter], 1)))
        return activate(self.to_half(torch.cat([double(y, half), half], 1)))


class LastLayer(nn.Module):
    """Features at half the size, picture and mask -> a residual of the picture, float32; 0 at the start.

    Both pictures enter, and the residual leaves, with 2 x 2 pixels as channels: a quarter of the positions, the same
    freedom, and nothing wide at full size.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = CONTRAST
        self.conv = nn.Conv2d(width + 24, 12, 3, padding=1)

    def forward(self, features: torch.Tensor, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(N, width, H/2, W/2), contrast x and mask (N, 3, H, W) -> (N, 3, H, W)."""
        parts = [features.float(), F.pixel_unshuffle(x, 2).float(), F.pixel_unshuffle(mask, 2)]
        parts = [part.contiguous(memory_format=torch.channels_last) for part in parts]
        return F.pixel_shuffle(self.conv(torch.cat(parts, 1)), 2) / self.gain


class DetailBody(nn.Module):
    """The heavy layers of both parts; weights float32 or bfloat16."""

    def __init__(self, width: int, depth: int, context: bool, context_width: int, patches: int) -> None:
        super().__init__()
        self.fill = FillBody(width, depth)
        self.context = ContextBody(context_width, patches) if context else nn.Identity()

    def enter(self, x: torch.Tensor) -> torch.Tensor:
        """Detail minus 1 (N, 3, H, W) -> what the layers see, in the type of their weights."""
        return contrast(x).to(self.fill.first.weight.dtype).contiguous(memory_format=torch.channels_last)


class DetailNet(nn.Module):
    """D-net (role "detail").

    Parameters
    ----------
    width : channels of part a's first layer, a multiple of 3; deeper levels have twice and four times as many
    depth : levels of part a, each half the size of the one above; how far its validity reaches into a hole doubles
        with each: 7 levels fill holes of some 250 pixels' radius
    context : with part b
    context_width : channels of part b's first layer
    patches : number of patches outside the mask that attention compares with
    """

    context: Final[bool]

    def __init__(
        self,
        width: int = 24,
        depth: int = 7,
        context: bool = True,
        context_width: int = 24,
        patches: int = 512,
    ) -> None:
        super().__init__()
        if width < 3 or width % 3 or context_width < 1 or depth < 1 or patches < 1:
            raise UsageError(
                f"D-net of width {width}, depth {depth}, context width {context_width}, {patches} patches: width must "
                f"be a multiple of 3, the others at least 1"
            )
        self.context = context
        self.multiple = REDUCTION if context else 2
        self.body = DetailBody(width, depth, context, context_width, patches)
        self.last_fill = LastLayer(width)
        self.last_context = LastLayer(context_width) if context else nn.Identity()
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, a=SLOPE)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        for layer in self.modules():
            if isinstance(layer, LastLayer):
                nn.init.zeros_(layer.conv.weight)

    def fill(self, detail: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Part a alone, on sizes that are multiples of `multiple`."""
        validity = (1 - mask).contiguous(memory_format=torch.channels_last)
        known = torch.lerp(torch.ones_like(detail), detail, validity)
        x = self.body.enter(known - 1)
        residual: torch.Tensor = self.last_fill(self.body.fill(x, validity), x, mask)
        return known + residual

    def forward_parts(self, detail: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Detail of the input and mask (N, 3, H, W) -> Hd of part a and of both parts; each part has its own loss.

        Untrained, both are the input's detail where nothing is clipped, 1 (no detail) where all is, mixed between.
        """
        height, width = detail.shape[-2], detail.shape[-1]
        detail = pad_to_multiple(detail, self.multiple).contiguous(memory_format=torch.channels_last)
        mask = pad_to_multiple(mask, self.multiple).contiguous(memory_format=torch.channels_last)
        filled = self.fill(detail, mask)
        result = filled
        if self.context:
            x = self.body.enter(filled - 1)
            y = self.body.context(torch.cat([x, mask.to(x.dtype)], 1), holes(mask))
            result = filled + mask * self.last_context(y, x, mask)
        return filled[..., :height, :width], result[..., :height, :width]

    def forward(self, detail: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Detail D'(s) / D'(Sb) and mask (N, 3, H, W), 1 = clipped -> Hd (N, 3, H, W)."""
        return self.forward_parts(detail, mask)[1]
