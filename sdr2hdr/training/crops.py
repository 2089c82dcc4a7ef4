"""Batches from the pool: whole views for B-net's coarse scale, windows of them for everything else."""

from dataclasses import dataclass

import numpy as np
import torch

from sdr2hdr.mask import CLIPPED_SIGNAL, soft_mask
from sdr2hdr.networks.base import BaseNet
from sdr2hdr.training.chain import ratio, thresholds
from sdr2hdr.training.losses_coarse import fit_gain
from sdr2hdr.training.pool import FIELDS, SCALE, Pool


@dataclass(frozen=True)
class Layers:
    """Windows of decomposed views, all (N, 3, h, w) float32; PQ and BT.2020 but for signal, base and mask.

    start : what B-net's coarse scale makes of the base; level : the part of it that the levels added (BT.709)
    mapped, mapped_base : D'(s), D'(Sb); own : their ratio; hdr, hdr_base : the references H and Hb
    """

    signal: torch.Tensor
    base: torch.Tensor
    mask: torch.Tensor
    start: torch.Tensor
    level: torch.Tensor
    mapped: torch.Tensor
    own: torch.Tensor
    hdr: torch.Tensor
    hdr_base: torch.Tensor


def _window(
    maps: dict[str, torch.Tensor], size: int, count: int, rng: np.random.Generator
) -> dict[str, torch.Tensor]:
    """`count` windows a view; the first of each is drawn where the mask is, as far as there is any."""
    mask = maps["mask"].amax(1)
    found: dict[str, list[torch.Tensor]] = {name: [] for name in maps}
    for n in range(mask.shape[0]):
        height, width = mask.shape[1:]
        h, w = min(size, height), min(size, width)
        places = mask[n].flatten().nonzero().flatten()
        for i in range(count):
            top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
            if i % 2 == 0 and len(places):
                y, x = divmod(int(places[int(rng.integers(len(places)))]), width)
                top, left = min(max(y - h // 2, 0), height - h), min(max(x - w // 2, 0), width - w)
            for name, values in maps.items():
                found[name].append(values[n, :, top : top + h, left : left + w])
    return {name: torch.stack(parts) for name, parts in found.items()}


class Crops:
    """Endless, seeded batches of `Layers` from a pool."""

    def __init__(self, pool: Pool, views: int, windows: int, size: int, seed: int) -> None:
        self.pool, self.views, self.windows, self.crop = pool, views, windows, size
        self.rng = np.random.default_rng(seed)
        self.real = pool.filled()

    def _views(self) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        aspect = int(self.rng.integers(len(self.real)))
        real = self.real[str(aspect)]
        chosen = np.sort(self.rng.choice(len(real), self.views, replace=False))
        maps = {}
        for name in FIELDS:
            codes = self.pool.field(name, aspect)[chosen]
            maps[name] = torch.from_numpy(codes.astype(np.float32)) / SCALE
        return maps, torch.tensor([bool(real[int(i)]) for i in chosen])

    @torch.no_grad()
    def batch(self, net: BaseNet) -> Layers:
        """Windows with everything that B-net's coarse scale (frozen here) says of their views."""
        maps, real = self._views()
        maps["mask"] = soft_mask(maps["signal"], thresholds(maps["signal"]))
        knots, levels = net.coarse(maps["base"], maps["mask"])
        maps["level"] = maps["mask"] * net.spread(levels, maps["mask"])
        windows = _window(maps, self.crop, self.windows, self.rng)
        knots, real = knots.repeat_interleave(self.windows, 0), real.repeat_interleave(self.windows)
        signal, base = windows["signal"], windows["base"]
        mapped, mapped_base = net.mapped(signal, knots), net.mapped(base, knots)
        hdr, hdr_base = windows["pq"], windows["pq_base"]
        if bool(
            real.any()
        ):  # the scale of these references is only estimated: they follow the picture's curve
            nits = net.tone.decode(hdr[real])
            valid = signal[real].amax(1, keepdim=True) < CLIPPED_SIGNAL
            gain = fit_gain(net.tone.decode(mapped[real]), nits, valid)
            hdr[real] = net.tone.encode(nits * gain)
            hdr_base[real] = net.tone.encode(net.tone.decode(hdr_base[real]) * gain)
        start = net.start(base, knots, windows["level"])
        own = ratio(mapped, mapped_base)
        return Layers(signal, base, windows["mask"], start, windows["level"], mapped, own, hdr, hdr_base)
