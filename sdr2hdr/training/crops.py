"""Windows of the pool's views, with everything that B-net's coarse scale says of them."""

from dataclasses import dataclass

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
    full = {
        name: maps[name].to(device, non_blocking=True).float() / np.iinfo(kind).max
        for name, kind in FIELDS.items()
    }
    mask = soft_mask(full["signal"], thresholds(full["signal"]))
    knots, levels = net.coarse(full["base"], mask)
    if bool(real.any()):  # the scale of these is only estimated: they follow the picture's curve
        mapped = net.tone.decode(net.mapped(full["signal"][real], knots[real]))
        nits = net.tone.decode(full["pq"][real])
        gain = fit_gain(luminance(mapped), luminance(nits), full["signal"][real].amax(1) < CLIPPED_SIGNAL)
        full["pq"][real] = net.tone.encode(nits * gain)
        full["pq_base"][real] = net.tone.encode(net.tone.decode(full["pq_base"][real]) * gain)
    level = _windows(mask * net.spread(levels, mask), places, size)
    signal, base, hdr, hdr_base, mask = (
        _windows(values, places, size)
        for values in (full["signal"], full["base"], full["pq"], full["pq_base"], mask)
    )
    windows = places.shape[1]
    knots = knots.repeat_interleave(windows, 0)
    mapped, mapped_base = net.mapped(signal, knots), net.mapped(base, knots)
    start = net.start(base, knots, level)
    return Layers(signal, base, mask, start, level, mapped, ratio(mapped, mapped_base), hdr, hdr_base)
