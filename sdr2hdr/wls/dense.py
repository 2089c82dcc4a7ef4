"""Merges of large fronts: batches of dense matrices, and a batched LAPACK."""

import torch

from sdr2hdr.wls.fronts import Merge, Run
from sdr2hdr.wls.stencil import DIAGONAL, along

Children = tuple[torch.Tensor, torch.Tensor | None]  # no second one at the picture's edge


class DenseMerge:
    """The elimination of one separator in each front of a batch.

    With F the separator's own block and K its coupling to the merged boundary, the factors are -F^-1 and
    G = -F^-1 K (no entry is negative: I + L is an M-matrix), and the merged front is K^T G plus what the children had.
    Vectors are rows (..., C, b), so that the products stream the factors as they lie in memory.
    """

    def __init__(self, plan: Merge, inverse: torch.Tensor, coupling: torch.Tensor) -> None:
        """`inverse` (M, s, s) is -F^-1, `coupling` (M, s, b) is G."""
        self.plan = plan
        self._inverse = inverse
        self._coupling = coupling

    def forward(self, children: Children, line: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Right-hand sides of the children and of the separator -> the separator's, the merged boundary's."""
        y = line + children[0][..., self.plan.separators[0]]
        if children[1] is not None:
            y.add_(children[1][..., self.plan.separators[1]])
        out = _rows(y, self._coupling)
        for child, runs in _existing(self.plan, children):
            for run in runs:
                out[..., run.target].add_(child[..., run.source])
        return y, out

    def backward(self, y: torch.Tensor, boundary: torch.Tensor) -> torch.Tensor:
        """The solution on the separator, from `forward`'s y and the solution on the merged boundary."""
        x = _rows(boundary, self._coupling.transpose(1, 2))
        return x.sub_(_rows(y, self._inverse))

    def hand_down(self, x: torch.Tensor, boundary: torch.Tensor, child: int, out: torch.Tensor) -> None:
        """The solution on the boundary of a child, 0 or 1, from that on the separator and on the merged boundary."""
        out[..., self.plan.separators[child]] = x
        for run in self.plan.runs[child]:
            out[..., run.source] = boundary[..., run.target]


def eliminate(
    plan: Merge, children: Children, lines: torch.Tensor, below: bool
) -> tuple[DenseMerge, torch.Tensor]:
    """Merge fronts (N, ..., b, b); `lines` (N, 5, ..., s) is the stencil on the separators. Factors, merged fronts."""
    s = plan.separator
    first = children[0]
    onward, backward = (lines[:, channel] for channel in along(below))
    block = first.new_zeros(*first.shape[:-2], s, s)
    coupling = first.new_zeros(*first.shape[:-2], s, plan.size)
    for n, (child, runs) in enumerate(_existing(plan, children)):
        separator = plan.separators[n]
        block.add_(child[..., separator, separator])
        for run in runs:
            coupling[..., run.target].copy_(child[..., separator, run.source])
    block.diagonal(0, -2, -1).add_(lines[:, DIAGONAL])
    block.diagonal(1, -2, -1).sub_(onward[..., :-1])
    block.diagonal(-1, -2, -1).sub_(onward[..., :-1])
    if plan.before is not None:
        coupling[..., 0, plan.before].sub_(backward[..., 0])
    if plan.after is not None:
        coupling[..., s - 1, plan.after].sub_(onward[..., -1])
    factors, fronts = factor(plan, block, coupling)
    for child, runs in _existing(plan, children):
        for a in runs:
            for b in runs:
                fronts[..., a.target, b.target].add_(child[..., a.source, b.source])
    return factors, fronts


def factor(
    plan: Merge, block: torch.Tensor, coupling: torch.Tensor, rest: torch.Tensor | None = None
) -> tuple[DenseMerge, torch.Tensor]:
    """Eliminate separators, from their blocks F (..., s, s) and couplings K (..., s, b).

    Returns the factors, and K^T G (..., b, b), added to `rest` if that is given.
    """
    k = coupling.flatten(0, -3)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky_ex(block.flatten(0, -3))[0]).neg_()
    g = torch.bmm(inverse, k)
    if rest is None:
        fronts = torch.bmm(k.transpose(1, 2), g).view(*block.shape[:-2], plan.size, plan.size)
    else:
        fronts = rest
        fronts.flatten(0, -3).baddbmm_(k.transpose(1, 2), g)
    return DenseMerge(plan, inverse, g), fronts


def _existing(plan: Merge, children: Children) -> list[tuple[torch.Tensor, tuple[Run, ...]]]:
    return [(child, runs) for child, runs in zip(children, plan.runs, strict=True) if child is not None]


def _rows(vectors: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """(..., C, m) times (M, m, n), M the product of the leading dimensions."""
    return torch.bmm(vectors.flatten(0, -3), matrices).view(*vectors.shape[:-1], matrices.shape[-1])
