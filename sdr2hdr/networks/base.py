"""B-net: the base layer in PQ / BT.2020 (paper, 3.2.1), at two scales.

Coarse: the whole picture at 160 pixels tells the response of the camera (one tone curve) and how bright each blown
area was (a map of levels); it sees the picture itself, for lights of a few pixels are no part of the base layer.
Fine: a U-Net at the working size adds a residual. A U-Net at the working size alone
predicts one constant for every blown area.
"""

import torch
import torch.nn.functional as F
from torch import nn

from sdr2hdr.networks.tone import KNOTS, Tone
from sdr2hdr.networks.unet import SLOPE, Body, ResidualUNet

LONG_SIDE = 160  # pixels that the coarse scale sees, whatever the picture's size
BINS = 24  # of the histograms
# The judge's verdict up to which a picture has no highlights. On the display look's views of pictures held out from
# training 13 % of those without any are above it, and 4 % of those with some below.
DOUBT = -0.35
QUIET = 7  # knots of the display look's curve that stay at the direct mapping: up to signal 0.375


class CoarseNet(nn.Module):
    """(N, 6, h, w) of signal and mask at 160 px -> tone curve (N, 3, 17) and levels (N, 3, h/2, w/2) in PQ."""

    def __init__(self, widths: list[int], slope: float, dropout: float) -> None:
        super().__init__()
        self.slope, self.bins, self.tone_knots = slope, BINS, KNOTS
        self.body = Body(24, widths, slope, dropout)
        self.body.begin_wide()
        statistics = 3 * widths[-1] + 4 * BINS
        self.pool = nn.Sequential(
            nn.Linear(statistics, 128),
            nn.LeakyReLU(slope),
            nn.Dropout(dropout),
            nn.Linear(128, 96),
            nn.LeakyReLU(slope),
        )
        self.deep = nn.Linear(96, 2 * widths[-1])
        self.top = nn.Linear(96, 2 * widths[0])
        self.knots = nn.Linear(96, 3 * KNOTS)
        self.levels = nn.Conv2d(widths[0], 3, 3, padding=1)
        first, judge = nn.Linear(statistics, 64), nn.Linear(64, 1)
        self.sure = nn.Sequential(
            nn.LayerNorm(statistics), first, nn.LeakyReLU(slope), nn.Dropout(0.1), judge
        )
        for layer in (self.deep, self.top, self.knots, self.levels, judge):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def histogram(self, signal: torch.Tensor) -> torch.Tensor:
        """Signal (N, 3, h, w) -> square roots of the shares in 24 bins of R, G, B and max, (N, 96); soft bins."""
        values = torch.cat([signal, signal.amax(1, keepdim=True)], 1).flatten(2)
        at = values * (self.bins - 1)
        low = at.floor().clamp(0, self.bins - 2)
        part = at - low
        counts = torch.zeros(
            values.shape[0], values.shape[1], self.bins, device=signal.device, dtype=values.dtype
        )
        counts.scatter_add_(2, low.long(), 1 - part)
        counts.scatter_add_(2, low.long() + 1, part)
        return (counts / values.shape[2] + 1e-8).sqrt().flatten(1)

    def forward(
        self, signal: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """-> raw curve (N, 3, 17), raw levels (N, 3, h/2, w/2), how surely there are highlights (N, 1), unbounded."""
        x = F.pixel_unshuffle(torch.cat([signal, mask], 1), 2)
        levels = self.body.encode(x.to(self.body.stem.weight.dtype))
        deep = levels[-1].float()
        flat = deep.flatten(2)
        spread = (flat.var(-1, unbiased=False) + 1e-8).sqrt()
        found = torch.cat([flat.mean(-1), flat.amax(-1), spread, self.histogram(signal)], 1)
        summary = self.pool(found)
        scale, shift = self.deep(summary)[:, :, None, None].chunk(2, 1)
        levels[-1] = (deep * (1 + scale) + shift).to(levels[-1].dtype)
        y = self.body.decode(levels).float()
        scale, shift = self.top(summary)[:, :, None, None].chunk(2, 1)
        y = F.leaky_relu(y * (1 + scale) + shift, self.slope)
        # the judge learns by itself and bends nothing of what it judges by
        sure = 1 + self.sure(found.detach())
        return self.knots(summary).view(-1, 3, self.tone_knots), self.levels(y), sure


class BaseNet(nn.Module):
    """B-net.

    coarse_widths, fine_widths : channels per level of the two U-Nets
    coarse, fine : switch a scale off for ablations (without the coarse one: the paper's B-net)
    slope : of the leaky ReLU; 0 is the paper's ReLU
    display : the promises of the display look by construction: the curve is the direct mapping below the shoulders and
        never below it, and a confidence of 0 gives the direct mapping
    """

    def __init__(
        self,
        coarse_widths: tuple[int, ...] = (24, 48, 80, 112),
        fine_widths: tuple[int, ...] = (16, 32, 64),
        coarse: bool = True,
        fine: bool = True,
        slope: float = SLOPE,
        dropout: float = 0.02,
        display: bool = False,
    ) -> None:
        super().__init__()
        self.tone = Tone()
        self.use_coarse, self.use_fine, self.display = coarse, fine, display
        self.quiet, self.doubt = QUIET, DOUBT
        self.slope, self.long_side, self.tone_knots = SLOPE, LONG_SIDE, KNOTS
        # what a curve lifts the mid-tones by is their author's business, no highlight's: it is taken off there, and
        # less and less of it towards white
        fading = 1 - ((torch.arange(KNOTS) - (QUIET - 1)).clamp(min=0) / float(KNOTS - QUIET))
        self.register_buffer("fading", fading, persistent=False)
        self.coarse_multiple = 2 ** len(coarse_widths)
        self.coarse_net = CoarseNet(list(coarse_widths), slope, dropout)
        self.fine_net = ResidualUNet(12, list(fine_widths), slope, dropout)

    @torch.jit.export
    def mapped(self, signal: torch.Tensor, knots: torch.Tensor) -> torch.Tensor:
        """D'(signal): SDR signal (N, 3, H, W) and tone curve (N, 3, 17) -> PQ, BT.2020. Zero knots give D(signal)."""
        return self.tone(signal, knots)

    @torch.jit.export
    def coarse(self, signal: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """SDR signal and mask (N, 3, H, W) -> tone curve (N, 3, 17), levels (N, 3, h, w) >= 0, 80 cells wide; PQ."""
        knots, levels, _ = self.judged(signal, mask)
        return knots, levels

    def judged(
        self, signal: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Likewise, and how surely the picture has highlights, (N, 1): up to `DOUBT` nothing of it counts, from
        0.5 above it on all, except in training, where curve and levels learn as if it were sure.
        """
        size = self.coarse_size(signal.shape[-2], signal.shape[-1])
        linear = F.interpolate(
            torch.cat([signal**2.2, mask], 1), size, mode="area"
        )  # light, roughly, is what averages
        raw, levels, sure = self.coarse_net(linear[:, :3].clamp(min=1e-6) ** (1 / 2.2), linear[:, 3:])
        if not self.display:  # one curve for the three channels: greys stay grey, and three predict no better
            raw = raw.mean(1, keepdim=True).expand_as(raw)
        else:  # the curve begins above the shoulders and never darkens
            raw = raw - self.fading * raw[..., self.quiet - 1 : self.quiet]
            raw = F.leaky_relu(raw, self.slope) if self.training else raw.clamp(min=0)
            raw = torch.cat([torch.zeros_like(raw[..., : self.quiet]), raw[..., self.quiet :]], -1)
        if not self.training:
            share = (2 * (sure - self.doubt)).clamp(0, 1)[:, :, None]
            levels = levels * share[..., None]
            if self.display:
                raw = raw * share
        # the running maximum over the knots: a tone curve cannot fall
        knots = torch.cummax(self.tone.positions + raw, -1)[0] - self.tone.positions
        levels = F.leaky_relu(levels, self.slope) if self.training else levels.clamp(min=0)
        return knots, levels, sure

    def coarse_size(self, height: int, width: int) -> list[int]:
        """Size at which the coarse scale sees a picture: long side 160, both sides multiples of the net's."""
        m = self.coarse_multiple
        scale = float(self.long_side) / float(max(height, width))
        return [max(1, int(height * scale / m + 0.5)) * m, max(1, int(width * scale / m + 0.5)) * m]

    def spread(self, levels: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Levels on the grid -> at the mask's size, weighted by the mask squared: edges stay clean, no halo."""
        weight = F.interpolate(mask * mask, [levels.shape[-2], levels.shape[-1]], mode="area") + 1e-6
        both = F.interpolate(
            torch.cat([levels * weight, weight], 1),
            [mask.shape[-2], mask.shape[-1]],
            mode="bilinear",
            align_corners=False,
        )
        return both[:, :3] / both[:, 3:]

    def start(self, base: torch.Tensor, knots: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """What the coarse scale makes of the base layer: curve plus level (PQ, at the base's size) -> PQ, BT.2020."""
        return self.tone.wide((self.tone.curve(base, knots) + level).clamp(0, 1))

    def refine(
        self, base: torch.Tensor, mask: torch.Tensor, start: torch.Tensor, level: torch.Tensor
    ) -> torch.Tensor:
        """The fine scale, if any: `start` plus a residual, PQ, BT.2020; in the display look only where the mask is."""
        if not self.use_fine:
            return start
        residual = self.fine_net(torch.cat([base, mask, start, level], 1))
        return start + (residual * mask if self.display else residual)

    def forward(
        self, base: torch.Tensor, signal: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Base layer Sb, SDR signal [0, 1] and mask (N, 3, H, W) -> Hb (PQ, BT.2020), tone curve (N, 3, 17)."""
        knots = torch.zeros(base.shape[0], 3, self.tone_knots, device=base.device)
        level = torch.zeros_like(mask)
        if self.use_coarse:
            knots, levels = self.coarse(signal, mask)
            level = mask * self.spread(levels, mask)
        return self.refine(base, mask, self.start(base, knots, level), level), knots
