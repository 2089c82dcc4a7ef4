"""The bottom of nested dissection: cells of 4 x 8 pixels, eliminated pixel by pixel, all cells at once.

Matrices this small are too small for LAPACK. So the tiles (8 x 8 pixels, two cells each) are the last, contiguous
dimension T here, and every step is an elementwise operation over all of them. First the pixels with even y and x go,
each a front of its own; then fronts merge in pairs: on the right, below, and on the right again.
"""

import torch

from sdr2hdr.wls.fronts import Merge, Sides, merge
from sdr2hdr.wls.stencil import DIAGONAL, WEST, along, separators

TILE = 8  # pixels, both ways
CELL = Sides.packed(3, 7)  # what a tile leaves: two fronts, one above the other
PAIR = merge(CELL, CELL, below=True)  # their merge is prepared here, and done by `dense`
_STEPS = (
    (2, 2, False),
    (2, 4, True),
    (4, 4, False),
)  # height and width of the children's cells, is the second below


class Tiles:
    """The factors of all tiles of a batch of boxes (k, 5, Y, X), Y and X multiples of 8."""

    def __init__(self, boxes: torch.Tensor) -> None:
        self._grid = boxes.shape[0], boxes.shape[2] // TILE, boxes.shape[3] // TILE
        tiles = _tiles(boxes)
        even = tiles[0::2, 0::2]
        self._inverse = even[:, :, DIAGONAL].reciprocal()
        self._scaled = even[:, :, WEST:] * self._inverse[:, :, None]
        fronts = (self._scaled[:, :, :, None] * even[:, :, None, WEST:]).neg_()
        self._steps: list[_Pivots] = []
        sides = Sides.packed(1, 1)
        for height, width, below in _STEPS:
            plan = merge(sides, sides, below)
            children = _pair(fronts, below)
            rows = _assemble(plan, children, _lines(tiles, height, width, below), below)
            step, fronts = _eliminate(plan, children, rows)
            self._steps.append(step)
            sides = plan.sides
        self._pairs = fronts, _lines(tiles, 4, 8, True)

    def pairs(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The pairs of cells, assembled for their merge, which is `PAIR`; to be called once.

        Returns, for a grid (k, Y/8, X/8, ...): the separator's own block (..., 7, 7), its coupling to the boundary
        (..., 7, 28) and the sum of the cells' fronts on the boundary (..., 28, 28).
        """
        fronts, lines = self._pairs
        del self._pairs
        children = _pair(fronts, True)
        rows = _assemble(PAIR, children, lines, True)
        rest = rows.new_zeros(1, 1, PAIR.size, PAIR.size, rows.shape[-1])
        _add(rest, PAIR, children)
        s = PAIR.separator
        rows = self._tiles_first(rows[0, 0])
        return rows[..., :s], rows[..., s:], self._tiles_first(rest[0, 0])

    def forward(self, boxes: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Right-hand sides (k, C, Y, X): what `backward` needs, and those of the pairs (k, Y/8, X/8, 2, C, 20)."""
        tiles = _tiles(boxes)
        even = tiles[0::2, 0::2]
        kept = [even * self._inverse[:, :, None]]
        f = self._scaled[:, :, None] * even[:, :, :, None]
        for (height, width, below), step in zip(_STEPS, self._steps, strict=True):
            y, f = step.forward(_pair(f, below), _lines(tiles, height, width, below).movedim(0, 2))
            kept.append(y)
        return kept, self._tiles_first(f[:, 0])

    def backward(self, kept: list[torch.Tensor], pairs: torch.Tensor, out: torch.Tensor) -> None:
        """The solution, from that on the boundaries of the pairs of cells to the cells' insides in `out`."""
        channels = pairs.shape[-2]
        x = pairs.flatten(0, 2).flatten(1).t().contiguous().view(2, 1, channels, CELL.size, -1)
        tiles = x.new_empty(TILE, TILE, channels, x.shape[-1])
        for (height, width, below), step, y in zip(_STEPS[::-1], self._steps[::-1], kept[:0:-1], strict=True):
            line, x = step.backward(y, x, below)
            _lines(tiles, height, width, below).copy_(line.movedim(2, 0))
        tiles[0::2, 0::2] = kept[0] + (self._scaled[:, :, None] * x).sum(3)
        cells = tiles.view(2, TILE // 2, TILE, channels, *self._grid)[:, :-1, :-1].permute(
            4, 3, 5, 0, 1, 6, 2
        )
        torch.unflatten(torch.unflatten(out, 3, (-1, TILE)), 2, (-1, 2, TILE // 2))[..., :-1, :, :-1] = cells

    def _tiles_first(self, x: torch.Tensor) -> torch.Tensor:
        """(..., T) -> (k, Y/8, X/8, ...), as the transposition of a plain matrix, which is fast."""
        return x.flatten(0, -2).t().contiguous().view(*self._grid, *x.shape[:-1])


class _Pivots:
    """One separator in each cell: pivot by pivot. Vectors are (ny, nx, C, b, T)."""

    def __init__(self, plan: Merge, inverses: torch.Tensor, rows: list[torch.Tensor]) -> None:
        self._plan = plan
        self._inverses = inverses  # (ny, nx, s, T) of the pivots
        self._rows = rows  # (ny, nx, s - k - 1 + b, T) for pivot k, divided by the pivot, negative

    def forward(
        self, children: tuple[torch.Tensor, torch.Tensor], line: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Right-hand sides of the children and of the separator -> the separator's, and the merged boundary's."""
        plan, s = self._plan, self._plan.separator
        f = line.new_empty(*line.shape[:3], s + plan.size, line.shape[-1])
        own, rest = f[:, :, :, :s], f[:, :, :, s:]
        torch.add(line, children[0][:, :, :, plan.separators[0]], out=own)
        own.add_(children[1][:, :, :, plan.separators[1]])
        for child, runs in zip(children, plan.runs, strict=True):
            for run in runs:
                rest[:, :, :, run.target] = child[:, :, :, run.source]
        for corner in (plan.before, plan.after):
            if corner is not None:
                rest[:, :, :, corner] = 0
        for k, row in enumerate(self._rows):
            f[:, :, :, k + 1 :].addcmul_(row[:, :, None], f[:, :, :, k : k + 1])
        return own * self._inverses[:, :, None], rest

    def backward(
        self, y: torch.Tensor, boundary: torch.Tensor, below: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The solution on the separator, and on the boundaries of the children (2 ny, nx, ...) or (ny, 2 nx, ...)."""
        plan, s = self._plan, self._plan.separator
        x = torch.cat([y, boundary], 3)
        for k in reversed(range(s)):
            x[:, :, :, k].add_((self._rows[k][:, :, None] * x[:, :, :, k + 1 :]).sum(3))
        own, rest = x[:, :, :, :s], x[:, :, :, s:]
        ny, nx, channels = x.shape[:3]
        grid = x.new_empty(ny * (1 + below), nx * (2 - below), channels, plan.child_size, x.shape[-1])
        for child, separator, runs in zip(_pair(grid, below), plan.separators, plan.runs, strict=True):
            child[:, :, :, separator] = own
            for run in runs:
                child[:, :, :, run.source] = rest[:, :, :, run.target]
        return own, grid


def _tiles(boxes: torch.Tensor) -> torch.Tensor:
    """(k, C, Y, X) -> (8, 8, C, T)."""
    split = torch.unflatten(torch.unflatten(boxes, 3, (-1, TILE)), 2, (-1, TILE))
    return split.permute(3, 5, 1, 0, 2, 4).flatten(3)


def _lines(tiles: torch.Tensor, height: int, width: int, below: bool) -> torch.Tensor:
    """The separators of (8, 8, C, T): a view (C, ny, nx, s, T)."""
    return separators(tiles.permute(2, 3, 0, 1), height, width, below).permute(0, 2, 3, 4, 1)


def _pair(grid: torch.Tensor, below: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """First and second of the pairs that merge, of a grid (ny, nx, ...)."""
    return (grid[0::2], grid[1::2]) if below else (grid[:, 0::2], grid[:, 1::2])


def _assemble(
    plan: Merge, children: tuple[torch.Tensor, torch.Tensor], lines: torch.Tensor, below: bool
) -> torch.Tensor:
    """Rows of the separators' pixels (ny, nx, s, s + b, T), from the fronts of the children and the stencil there."""
    s = plan.separator
    rows = lines.new_zeros(*lines.shape[1:4], s + plan.size, lines.shape[-1])
    for child, separator, runs in zip(children, plan.separators, plan.runs, strict=True):
        rows[:, :, :, :s].add_(child[:, :, separator, separator])
        for run in runs:
            rows[:, :, :, s:][:, :, :, run.target] = child[:, :, separator, run.source]
    onward, backward = along(below)
    for k in range(s):
        rows[:, :, k, k].add_(lines[DIAGONAL, :, :, k])
    for k in range(s - 1):
        rows[:, :, k, k + 1].sub_(lines[onward, :, :, k])
        rows[:, :, k + 1, k].sub_(lines[onward, :, :, k])
    for corner, end, channel in ((plan.before, 0, backward), (plan.after, s - 1, onward)):
        if corner is not None:
            rows[:, :, end, s + corner].sub_(lines[channel, :, :, end])
    return rows


def _eliminate(
    plan: Merge, children: tuple[torch.Tensor, torch.Tensor], rows: torch.Tensor
) -> tuple[_Pivots, torch.Tensor]:
    """Factors, and the merged fronts (ny, nx, b, b, T), from the assembled rows."""
    s = plan.separator
    inverses, scaled = [], []
    for k in range(s):
        inverses.append(rows[:, :, k, k].reciprocal())
        scaled.append(rows[:, :, k, k + 1 :] * inverses[k][:, :, None].neg())
        for j in range(k + 1, s):
            rows[:, :, j, j:].addcmul_(scaled[k][:, :, None, j - k - 1], rows[:, :, k, j:])
    fronts = scaled[0][:, :, s - 1 :, None] * rows[:, :, 0, None, s:]
    for k in range(1, s):
        fronts.addcmul_(scaled[k][:, :, s - k - 1 :, None], rows[:, :, k, None, s:])
    _add(fronts, plan, children)
    return _Pivots(plan, torch.stack(inverses, 2), scaled), fronts


def _add(fronts: torch.Tensor, plan: Merge, children: tuple[torch.Tensor, torch.Tensor]) -> None:
    """What the children had on the merged boundary."""
    for child, runs in zip(children, plan.runs, strict=True):
        for a in runs:
            for b in runs:
                fronts[:, :, a.target, b.target].add_(child[:, :, a.source, b.source])
