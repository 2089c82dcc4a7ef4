"""Base and detail: the first step of the method. s = base x detail, base = WLS of the signal."""

from functools import cache
from typing import NamedTuple

import torch

from sdr2hdr.color import gamut
from sdr2hdr.color.tables import table
from sdr2hdr.wls import DEFAULT, WlsParameters, smooth

_DARK = 1e-6  # below a tenth of a 16-bit code the solver's rounding is all that a base says


class Layers(NamedTuple):
    """The layers of a picture.

    base : (N, 3, H, W) in [0, 1], smooth but for edges
    detail : (N, 3, H, W) >= 0, about 1; base * detail is the signal (to a rounding)
    """

    base: torch.Tensor
    detail: torch.Tensor


def decompose(signal: torch.Tensor, parameters: WlsParameters = DEFAULT) -> Layers:
    """Layers of an SDR signal (N, 3, H, W) in [0, 1], BT.709 primaries.

    Where the base is 0 (below 1e-6, and so is the filter's accuracy) the base is the signal itself and the detail is 1:
    there is no 0 / 0, and base * detail is the signal everywhere, exactly 0 where both are 0.
    """
    base = _base(signal, _luminance(signal), parameters)
    dark = base < _DARK
    base = torch.where(dark, signal, base)
    return Layers(base, torch.where(dark, 1.0, signal / base.clamp(min=_DARK)))


def base_of(pq: torch.Tensor, parameters: WlsParameters = DEFAULT) -> torch.Tensor:
    """Base layer of a PQ reference (N, 3, H, W) in [0, 1], BT.2020 primaries; its guide is its own luminance."""
    return _base(pq, gamut.luminance(pq), parameters)


def _base(signal: torch.Tensor, luminance: torch.Tensor, parameters: WlsParameters) -> torch.Tensor:
    return smooth(signal, luminance[:, None], parameters).clamp_(0, 1)


def _luminance(signal: torch.Tensor) -> torch.Tensor:
    """Luminance (N, H, W) of a signal with BT.709 primaries, of the encoded signal as the filter takes it."""
    weights = _bt709_luminance(signal.device, signal.dtype)
    return torch.einsum("c,nchw->nhw", weights, signal)


@cache
def _bt709_luminance(device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """Row Y of the BT.709 matrix: 0.2126, 0.7152, 0.0722."""
    row = table("bt2020_to_xyz")[1] @ table("bt709_to_bt2020")
    return torch.from_numpy(row).to(device=device, dtype=dtype)
