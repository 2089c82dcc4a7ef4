"""What a conversion may be told: one frozen record, the same for library and command line. Needs no PyTorch."""

import math
from dataclasses import dataclass
from pathlib import Path

from sdr2hdr.errors import UsageError
from sdr2hdr.image import PQ_PEAK_NITS, SDR_WHITE_NITS


@dataclass(frozen=True)
class Settings:
    """Options of the method.

    look : which weights, "scene": the light in front of the camera
    strength : 0 (the direct mapping, BT.2408) .. 1 (all that the nets say)
    invent : let the D-net fill in detail where all of it was clipped
    peak_nits : brightest light of the result in cd/m2, `white_nits` .. 10000; what is brighter is rolled off
    white_nits : luminance of SDR white in cd/m2, above 0
    threshold : signal at which the mask begins, 0.75 .. 0.995; None: chosen from the picture
    work_size : size at which the nets see the picture, megapixels; 0: full size
    device : "auto", "cpu", "cuda", "cuda:1", ...
    precision : "auto", "fp32" or "bf16"
    weights : folder of weights; None: $SDR2HDR_WEIGHTS, else those of the package

    Raises
    ------
    UsageError
        A value is out of its range.
    """

    look: str = "scene"
    strength: float = 1.0
    invent: bool = True
    peak_nits: float = PQ_PEAK_NITS
    white_nits: float = SDR_WHITE_NITS
    threshold: float | None = None
    work_size: float = 0.75  # a 12-megapixel photograph at a quarter of its size
    device: str = "auto"
    precision: str = "auto"
    weights: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what no picture can be converted with."""
        _within("strength", self.strength, 0, 1)
        _within("white", self.white_nits, 1, PQ_PEAK_NITS)
        _within("peak", self.peak_nits, self.white_nits, PQ_PEAK_NITS)
        _within("work size", self.work_size, 0, math.inf)
        if self.threshold is not None:
            _within("threshold", self.threshold, 0.75, 0.995)


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high or math.isinf(value):
        raise UsageError(f"{name} {value:g} is out of range; take a number from {low:g} to {high:g}")
