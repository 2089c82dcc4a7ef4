"""Figures on a folder of pairs."""

from pathlib import Path

import torch

from sdr2hdr.color.transfer import pq_encode
from sdr2hdr.training.validation import figures, pairs, validate


def test_figures_of_the_reference_itself(validation_folder: Path) -> None:
    known = {signal: pq_encode(nits) for _, signal, nits in pairs(validation_folder)}

    def perfect(signal: torch.Tensor) -> torch.Tensor:
        return known[signal]

    assert validate(perfect, validation_folder)["absolute.PQ"] > 90


def test_aligned_figures_do_not_see_a_gain() -> None:
    generator = torch.Generator().manual_seed(0)
    signal = 0.9 * torch.rand(1, 3, 32, 32, generator=generator)
    nits = 200 * torch.rand(1, 3, 32, 32, generator=generator) + 2
    row = figures(signal, pq_encode(2 * nits), nits)
    assert row["aligned.PQ"] > 80
    assert row["absolute.PQ"] < 40
