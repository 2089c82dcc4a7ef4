"""The numbers of one conversion: of all pixels at full size, unless it is said otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sdr2hdr.color import inplace
from sdr2hdr.color.tables import table
from sdr2hdr.image import FloatArray
from sdr2hdr.inspection.observed import Observed
from sdr2hdr.inspection.origin import NAMES, Classes, classify, shares
from sdr2hdr.strips import for_each

PERCENTILES = (1, 10, 50, 90, 99, 99.9, 100)
LEVELS = (203.0, 1000.0)  # cd/m2 of luminance
FLOOR_NITS = 0.05  # added to both sides of a ratio: stops of what is black mean nothing
KNOTS = 17


@dataclass(frozen=True)
class Figures:
    """What is counted once and used by pictures and numbers alike."""

    observed: Observed

    @cached_property
    def classes(self) -> Classes:
        """`origin.classify` of the picture."""
        return classify(self.observed.sdr.signal, self.observed.report.tau)

    @cached_property
    def shares(self) -> dict[str, float]:
        """Of the classes."""
        return shares(self.classes)

    @cached_property
    def sdr_nits(self) -> FloatArray:
        """Luminance (H, W) of the SDR picture under the direct mapping, cd/m2."""
        signal, white = self.observed.sdr.signal, self.observed.settings.white_nits
        return _luminance(signal.shape, lambda rows: direct(signal[:, rows], white))

    @cached_property
    def hdr_nits(self) -> FloatArray:
        """Luminance (H, W) of the result, cd/m2."""
        hdr = self.observed.hdr
        return _luminance(hdr.light.shape, lambda rows: hdr.light[:, rows] * np.float32(hdr.white_nits))

    @cached_property
    def outside(self) -> dict[str, float]:
        """Share of the pixels outside of BT.709 and P3."""
        hdr = self.observed.hdr
        return {name: _outside(hdr.light, name, hdr.white_nits) for name in ("bt709", "p3")}

    @cached_property
    def nets(self) -> dict[str, dict[str, float]]:
        """By class, at the working size: stops of luminance that the nets added to what the tone curve gives.

        The median, and the 99th percentile of their sizes; and that of what the D-net changed in the detail layer, in
        stops of PQ signal, of the channel that it changed most. Empty without nets.
        """
        layers = self.observed.layers
        if "refined" not in layers:
            return {}
        classes = classify(layers["signal"], self.observed.report.tau)
        before, after = (_luminance_of(decoded(layers[name])) for name in ("mapped", "refined"))
        stops = np.log2((after + FLOOR_NITS) / (before + FLOOR_NITS))
        added = np.zeros_like(stops)
        if "hdr_detail" in layers:
            small = np.float32(1e-6)
            ratio = np.maximum(layers["hdr_detail"], small) / np.maximum(layers["detail"], small)
            added = np.abs(np.log2(ratio)).max(0)
        found = {}
        for index, name in enumerate(NAMES):
            if (here := classes == index).any():
                found[name] = {
                    "median": float(np.median(stops[here])),
                    "p99_of_size": float(np.percentile(np.abs(stops[here]), 99)),
                    "d_net_p99_of_size": float(np.percentile(added[here], 99)),
                }
        return found

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        seen, report = self.observed, self.observed.report
        height, width = seen.sdr.size
        curve = seen.tone_curve
        at = np.linspace(0, len(curve.signal) - 1, KNOTS).astype(int)
        return {
            "source": seen.name,
            "width": width,
            "height": height,
            "recipe": seen.hdr.recipe,
            "clipped_share": round(report.clipped_share, 6),
            "threshold": round(report.tau, 4),
            "origin": {name: round(share, 6) for name, share in self.shares.items()},
            "nets_stops": {name: _rounded(stops) for name, stops in self.nets.items()},
            "tone_curve": {
                "signal": [round(v, 4) for v in curve.signal[at].tolist()],
                "direct_nits": [round(v, 4) for v in curve.direct[at].tolist()],
                "nits": [[round(v, 4) for v in channel[at].tolist()] for channel in curve.nits],
            },
            "white_nits": seen.settings.white_nits,
            "peak_nits": report.peak_nits,
            "max_cll": round(report.max_cll, 2),
            "max_fall": round(report.max_fall, 2),
            "luminance_nits": {"sdr": percentiles(self.sdr_nits), "hdr": percentiles(self.hdr_nits)},
            "luminance_share_above": {
                f"{level:g}": round(float((self.hdr_nits > level).mean()), 6) for level in LEVELS
            },
            "share_outside": {name: round(share, 6) for name, share in self.outside.items()},
            "seconds": {stage: round(seconds, 3) for stage, seconds in report.seconds.items()},
        }


def direct(signal: FloatArray, white_nits: float) -> FloatArray:
    """SDR signal (3, h, w) -> its light in cd/m2, BT.2020: the direct mapping of BT.2408."""
    light = inplace.convert(inplace.srgb_light()(signal), "bt709_to_bt2020")
    light *= np.float32(white_nits)
    return light


def decoded(pq: FloatArray) -> FloatArray:
    """PQ -> cd/m2, a new array."""
    nits = np.array(pq, np.float32)
    inplace.pq_decode(nits)
    return nits


def percentiles(nits: FloatArray) -> dict[str, float]:
    """By name ("p99.9"; "max")."""
    values = np.percentile(nits, PERCENTILES)
    names = [f"p{p:g}" if p < 100 else "max" for p in PERCENTILES]
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}


def _luminance_of(light: FloatArray) -> FloatArray:
    """BT.2020 light (3, ...) -> luminance in its unit."""
    return np.asarray(np.tensordot(table("bt2020_to_xyz")[1].astype(np.float32), light, 1), np.float32)


def _luminance(shape: tuple[int, ...], light: Callable[[slice], FloatArray]) -> FloatArray:
    """Luminance (H, W) of light that comes by rows."""
    found = np.empty(shape[1:], np.float32)

    def strip(rows: slice) -> None:
        found[rows] = _luminance_of(light(rows))

    for_each(strip, shape[1], shape[2])
    return found


def _outside(light: FloatArray, gamut: str, white_nits: float) -> float:
    """Share of the pixels of light (3, H, W) outside of a gamut."""
    height, width = light.shape[1:]
    counts = np.zeros(height, np.int64)

    def strip(rows: slice) -> None:
        counts[rows] = inplace.outside(light[:, rows], gamut, white_nits).sum(1)

    for_each(strip, height, width)
    return float(counts.sum() / (height * width))
