"""Transfer functions on tensors: sRGB (IEC 61966-2-1) and PQ (SMPTE ST 2084)."""

from functools import cache

import torch

from sdr2hdr.color.tables import CODES, table


@cache
def _curve(name: str, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(table(name)).to(device=device, dtype=torch.float32)


def _look_up(x: torch.Tensor, name: str) -> torch.Tensor:
    """Linear interpolation in a curve's table; exact at every 8- and 16-bit code."""
    curve = _curve(name, x.device)
    at = x.clamp(0, 1) * (CODES - 1)
    low = at.floor().clamp_(max=CODES - 2)
    index = low.to(torch.int32)
    return torch.lerp(curve[index], curve[index + 1], at - low)


def srgb_decode(signal: torch.Tensor) -> torch.Tensor:
    """sRGB signal [0, 1] -> linear light [0, 1], any shape. Values outside are clamped."""
    return _look_up(signal, "srgb_to_linear")


def srgb_encode(linear: torch.Tensor) -> torch.Tensor:
    """Linear light [0, 1] -> sRGB signal [0, 1], any shape. Values outside are clamped."""
    return _look_up(linear, "linear_to_srgb")


@cache
def _pq_constants() -> tuple[float, float, float, float, float]:
    m1, m2, c1, c2, c3 = table("pq").tolist()
    return m1, m2, c1, c2, c3


def pq_encode_with(nits: torch.Tensor, m1: float, m2: float, c1: float, c2: float, c3: float) -> torch.Tensor:
    """`pq_encode` with the standard's constants as arguments (scriptable)."""
    y = (nits.clamp(0, 10000) / 10000) ** m1
    n = ((1 - c1) + (c3 - c2) * y) / (1 + c3 * y)
    return torch.exp(m2 * torch.log1p(-n))


def pq_decode_with(
    signal: torch.Tensor, m1: float, m2: float, c1: float, c2: float, c3: float
) -> torch.Tensor:
    """`pq_decode` with the standard's constants as arguments (scriptable)."""
    e = torch.expm1(torch.log(signal.clamp(1e-9, 1)) / m2)  # signal^(1/m2) - 1
    y = (e + (1 - c1)).clamp(min=0) / ((c2 - c3) - c3 * e)
    return 10000 * y ** (1 / m1)


def pq_encode(nits: torch.Tensor) -> torch.Tensor:
    """Luminance in cd/m2 -> PQ signal [0, 1] (ST 2084, 5.2, inverse EOTF), any shape; clamped to 0 .. 10000 cd/m2.

    The ratio of the standard is 1 - n with n small for bright light; `log1p` keeps float32 within 0.01 of a 16-bit
    code, where the plain power is off by up to 0.9.
    """
    return pq_encode_with(nits, *_pq_constants())


def pq_decode(signal: torch.Tensor) -> torch.Tensor:
    """PQ signal -> luminance in cd/m2 (ST 2084, 5.1, EOTF), any shape; signals outside [0, 1] are clamped."""
    return pq_decode_with(signal, *_pq_constants())
