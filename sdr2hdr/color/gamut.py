"""Primaries: linear light from one set to another, and luminance."""

from functools import cache

import torch

from sdr2hdr.color.tables import table


@cache
def _matrix(name: str, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(table(name)).to(device=device, dtype=torch.float32)


def convert(linear: torch.Tensor, name: str) -> torch.Tensor:
    """Linear light through one of the 3 x 3 matrices of `tables.table`, e.g. "bt709_to_bt2020"; (..., 3, H, W)."""
    return torch.einsum("dc,...chw->...dhw", _matrix(name, linear.device), linear)


def luminance(linear: torch.Tensor) -> torch.Tensor:
    """BT.2020 linear light (..., 3, H, W) -> luminance (..., H, W) in the same unit (row Y of BT.2020's matrix)."""
    y = _matrix("bt2020_to_xyz", linear.device)[1]
    return torch.einsum("c,...chw->...hw", y, linear)
