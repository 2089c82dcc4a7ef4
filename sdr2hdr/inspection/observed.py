"""One conversion, with every intermediate result of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from sdr2hdr.color import inplace
from sdr2hdr.drawing.tone_curve import ToneCurve, pq
from sdr2hdr.image import SDR_WHITE_NITS, FloatArray, HdrImage, SdrImage
from sdr2hdr.pipeline import Observe, Report
from sdr2hdr.settings import Settings

LAYERS = ("signal", "base", "mask", "curve", "hdr_base", "mapped", "detail", "hdr_detail", "refined")
SAMPLES = 513  # of the tone curve


@dataclass(frozen=True)
class Observed:
    """A converted picture.

    layers : by name, (3, h, w) at the working size, "curve" (3, 17); see `Converter.convert`. All are missing at
        strength 0, "hdr_detail" without invention.
    """

    name: str
    settings: Settings
    sdr: SdrImage
    hdr: HdrImage
    report: Report
    layers: dict[str, FloatArray]

    @property
    def tone_curve(self) -> ToneCurve:
        """The picture's tone curve, with white where the settings have it."""
        return tone_curve(self.layers.get("curve"), self.settings.white_nits)

    @property
    def detail(self) -> FloatArray:
        """Detail layer of the SDR picture, (3, h, w): signal / base, 1 where both are 0 (`decompose`)."""
        signal, base = self.layers["signal"], self.layers["base"]
        return np.divide(signal, base, out=np.ones_like(signal), where=base > 0)


def observe(
    name: str, settings: Settings, image: SdrImage, convert: Callable[[Observe], tuple[HdrImage, Report]]
) -> Observed:
    """Keep what is seen on the way of a conversion.

    Parameters
    ----------
    convert : converts the picture, and calls what it is given with every intermediate result
    """
    layers: dict[str, FloatArray] = {}

    def keep(layer: str, value: torch.Tensor) -> None:
        if layer in LAYERS:
            layers[layer] = np.array(value[0].float().cpu().numpy())

    hdr, report = convert(keep)
    return Observed(name, settings, image, hdr, report, layers)


def tone_curve(knots: FloatArray | None, white_nits: float = SDR_WHITE_NITS) -> ToneCurve:
    """Offsets (3, 17) in PQ at evenly spaced signals -> the curve; None: the direct mapping.

    Linear between the knots in the PQ of the direct mapping, as `networks.tone` has it.
    """
    signal = np.linspace(0, 1, SAMPLES)
    grey = np.broadcast_to(signal.astype(np.float32), (3, 1, SAMPLES))
    direct = inplace.srgb_light()(grey)[0, 0].astype(np.float64) * SDR_WHITE_NITS
    gain = white_nits / SDR_WHITE_NITS
    if knots is None or not knots.any():
        return ToneCurve(signal, np.tile(direct * gain, (3, 1)), direct * gain)
    x = pq(direct)
    places = x[np.linspace(0, SAMPLES - 1, knots.shape[1]).astype(int)]
    curve = np.stack([x + np.interp(x, places, offsets) for offsets in knots]).clip(0, 1).astype(np.float32)
    inplace.pq_decode(curve)
    return ToneCurve(signal, curve.astype(np.float64) * gain, direct * gain)
