"""Small weights for the tests: what the nets do untrained, and what they do with random numbers in every parameter."""

from pathlib import Path

import pytest
import torch

from sdr2hdr import checkpoint, checksums, networks

SMALL = {
    "base": {"coarse_widths": [8, 12], "fine_widths": [8, 12]},
    "detail": {"width": 12, "depth": 3, "context_width": 8, "patches": 256},
    "refine": {"widths": [8, 12]},
}


FIGURES = {"protocol": {"pq": 31.25, "clip": 26}}


def _archives(folder: Path, spread: float) -> Path:
    torch.manual_seed(1)
    for role, arguments in SMALL.items():
        net = networks.ROLES[role](**arguments)
        if spread:
            for parameter in net.parameters():
                # what the nets start with as zero gets numbers, too
                parameter.data += spread * torch.randn_like(parameter) * (parameter.abs().max() == 0)
        metadata = {
            "role": role,
            "look": "scene",
            "arguments": arguments,
            "training": {},
            "validation": FIGURES if spread else {},
        }
        checkpoint.save(folder / f"scene-{role}.pt", net, metadata)
    checksums.write(folder)
    return folder


@pytest.fixture(scope="session")
def weights_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained archives of the scene look: last layers zero, so that the chain is the direct mapping."""
    return _archives(tmp_path_factory.mktemp("untrained"), 0)


@pytest.fixture(scope="session")
def random_weights_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archives of the scene look that change the picture: the layers that start at zero hold small random numbers."""
    return _archives(tmp_path_factory.mktemp("random"), 0.01)
