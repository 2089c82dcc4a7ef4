"""Windows of the pool's views, with everything that B-net's coarse scale says of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from sdr2hdr.color.gamut import luminance
from sdr2hdr.errors import UsageError
from sdr2hdr.mask import CLIPPED_SIGNAL, soft_mask
from sdr2hdr.networks.base import BaseNet
from sdr2hdr.training.chain import ratio, thresholds
from sdr2hdr.training.feed import Maps
from sdr2hdr.training.losses_coarse import fit_gain
from sdr2hdr.training.pool import ASPECTS, CHUNK, FIELDS, Pool, State

Places = npt.NDArray[np.int64]
FIT = 3  # every third pixel of both directions tells a gain


@dataclass(frozen=True)
class Layers:
    """Windows of decomposed views, (N, 3, h, w) float32; PQ and BT.2020 but for signal, base, mask and level.

    level : what B-net's coarse scale adds to the base (BT.709); knots : its tone curve for each, (N, 3, 17)
    hdr, hdr_base : the references H and Hb

    What follows from these is computed when a stage asks for it, for PQ costs more than some nets.
    """

    net: BaseNet
    knots: torch.Tensor
    signal: torch.Tensor
    base: torch.Tensor
    mask: torch.Tensor
    level: torch.Tensor
    hdr: torch.Tensor
    hdr_base: torch.Tensor

    @cached_property
    @torch.no_grad()
    def start(self) -> torch.Tensor:
        """What B-net's coarse scale makes of the base."""
        return self.net.start(self.base, self.knots, self.level)

    @cached_property
    @torch.no_grad()
    def mapped(self) -> torch.Tensor:
        """D'(s)."""
        return self.net.mapped(self.signal, self.knots)

    @cached_property
    @torch.no_grad()
    def mapped_base(self) -> torch.Tensor:
        """D'(Sb)."""
        return self.net.mapped(self.base, self.knots)

    @cached_property
    @torch.no_grad()
    def own(self) -> torch.Tensor:
        """The input's detail, D'(s) / D'(Sb)."""
        return ratio(self.mapped, self.mapped_base)


class Crops:
    """Batches of whole views and of places in them, a `feed.Source`.

    views, windows, size : so many windows of `size` pixels (at most the view's) out of each of so many views
    """

    def __init__(self, pool: Pool, views: int, windows: int, size: int, seed: int) -> None:
        self.pool, self.views, self.windows, self.size, self.seed = pool, views, windows, size, seed
        self._read: tuple[int, State] | None = None

    def batch(self, number: int) -> Maps:
        """The fields of some views, (views, 3, H, W), their codes as they are kept; real (views,) bool; places
        (views, windows, 2), upper left corners.

        Raises
        ------
        UsageError
            The pool holds fewer views than a batch needs.
        """
        rng = np.random.default_rng([self.seed, number])
        aspect = int(rng.integers(len(ASPECTS)))
        chunks = [chunk for chunk in self._state().chunks[aspect] if chunk]
        if len(chunks) * CHUNK < self.views:
            raise UsageError(f"{self.pool.folder}: the pool is not filled; run the stage 'pool' first")
        chosen = np.sort(rng.choice(len(chunks) * CHUNK, self.views, replace=False))
        maps: Maps = {}
        for name in FIELDS:
            codes = self.pool.field(name, aspect)
            maps[name] = torch.from_numpy(
                np.stack([codes[chunks[i // CHUNK].slot, i % CHUNK] for i in chosen])
            )
        maps["real"] = torch.tensor([chunks[i // CHUNK].real[i % CHUNK] for i in chosen])
        signal = maps["signal"].float() / 255
        mask = soft_mask(signal, thresholds(signal)).amax(1).numpy()
        maps["places"] = torch.from_numpy(np.stack([self._places(m, rng) for m in mask]))
        return maps

    def _state(self) -> State:
        path = self.pool.folder / "state.json"
        changed = path.stat().st_mtime_ns if path.exists() else 0
        if self._read is None or self._read[0] != changed:
            self._read = changed, self.pool.state()
        return self._read[1]

    def _places(self, mask: npt.NDArray[np.float32], rng: np.random.Generator) -> Places:
        """Corners of windows, (windows, 2); every second is drawn where the mask (H, W) is, as far as there is any."""
        height, width = mask.shape
        h, w = min(self.size, height), min(self.size, width)
        inside = np.flatnonzero(mask)
        found = []
        for i in range(self.windows):
            top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
            if i % 2 == 0 and len(inside):
                y, x = divmod(int(inside[int(rng.integers(len(inside)))]), width)
                top, left = min(max(y - h // 2, 0), height - h), min(max(x - w // 2, 0), width - w)
            found.append((top, left))
        return np.array(found)


def _windows(values: torch.Tensor, places: torch.Tensor, size: int) -> torch.Tensor:
    """(views, 3, H, W), places (views, windows, 2) -> (views * windows, 3, h, w)."""
    return torch.stack(
        [
            view[:, top : top + size, left : left + size]
            for view, corners in zip(values, places.tolist(), strict=True)
            for top, left in corners
        ]
    )


@torch.no_grad()
def layers(maps: Maps, net: BaseNet, size: int, device: torch.device) -> Layers:
    """Windows of `size` with everything that B-net's coarse scale (frozen here) says of their views."""
    real, places = maps["real"].to(device), maps["places"]

    def unit(name: str, values: torch.Tensor) -> torch.Tensor:
        return values.to(device, non_blocking=True).float() / np.iinfo(FIELDS[name]).max

    signal, base = unit("signal", maps["signal"]), unit("base", maps["base"])
    hdr, hdr_base = (unit(name, _windows(maps[name], places, size)) for name in ("pq", "pq_base"))
    mask = soft_mask(signal, thresholds(signal))
    knots, levels = net.coarse(signal, mask)
    level = mask * net.spread(levels, mask)
    windows = places.shape[1]
    if bool(real.any()):  # the scale of these is only estimated: they follow the picture's curve
        few = (..., slice(None, None, FIT), slice(None, None, FIT))
        shown, truth = signal[real][few], unit("pq", maps["pq"][maps["real"]][few])
        mapped = net.mapped(shown.contiguous(), knots[real])
        predicted, reference = (luminance(net.tone.decode(pq)) for pq in (mapped, truth))
        gain = fit_gain(predicted, reference, shown.amax(1) < CLIPPED_SIGNAL)
        gain = gain.repeat_interleave(windows, 0)
        chosen = real.repeat_interleave(windows)
        for part in (hdr, hdr_base):
            part[chosen] = net.tone.encode(net.tone.decode(part[chosen]) * gain)
    signal, base, mask, level = (_windows(values, places, size) for values in (signal, base, mask, level))
    return Layers(net, knots.repeat_interleave(windows, 0), signal, base, mask, level, hdr, hdr_base)
