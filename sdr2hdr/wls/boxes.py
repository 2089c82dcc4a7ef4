"""The middle of nested dissection: boxes of 64 x 64 pixels, from tiles, in batches."""

import torch

from sdr2hdr.wls.dense import eliminate, factor
from sdr2hdr.wls.fronts import Sides, merge
from sdr2hdr.wls.stencil import separators
from sdr2hdr.wls.tiles import PAIR, Tiles

BOX = 64  # pixels, both ways; the last row and column of a box belong to separators
BOUNDARY = Sides.packed(BOX - 1, BOX - 1)
# height and width of the children's cells, is the second child below the first; the first step's are the pairs of tiles
_STEPS = (
    (4, 8, True),
    (8, 8, False),
    (8, 16, True),
    (16, 16, False),
    (16, 32, True),
    (32, 32, False),
    (32, 64, True),
)

Kept = tuple[list[torch.Tensor], list[torch.Tensor]]


class Boxes:
    """The factors of a batch of boxes."""

    def __init__(self, stencil: torch.Tensor) -> None:
        """`stencil` (k, 5, 64, 64)."""
        self._tiles = Tiles(stencil)
        factors, fronts = factor(PAIR, *self._tiles.pairs())
        self._merges = [factors]
        for height, width, below in _STEPS[1:]:
            plan = merge(factors.plan.sides, factors.plan.sides, below)
            factors, fronts = eliminate(
                plan, _pair(fronts, below), separators(stencil, height, width, below), below
            )
            self._merges.append(factors)
        self._fronts: torch.Tensor | None = fronts.flatten(0, 2)

    def take(self) -> torch.Tensor:
        """The fronts (k, 252, 252), which are given up here."""
        fronts, self._fronts = self._fronts, None
        assert fronts is not None
        return fronts

    def forward(self, boxes: torch.Tensor) -> tuple[Kept, torch.Tensor]:
        """Right-hand sides (k, C, 64, 64): what `backward` needs, and those of the boundaries (k, C, 252)."""
        kept, f = self._tiles.forward(boxes)
        ys = []
        for n, ((height, width, below), factors) in enumerate(zip(_STEPS, self._merges, strict=True)):
            first, second = _pair(f, below) if n else f.unbind(3)
            y, f = factors.forward((first, second), _lines(boxes, height, width, below))
            ys.append(y)
        return (kept, ys), f.flatten(0, 2)

    def backward(self, kept: Kept, boundary: torch.Tensor, out: torch.Tensor) -> None:
        """The solution, from that on the boundaries (k, C, 252) to the insides of the boxes, `out` (k, C, 64, 64)."""
        x = boundary[:, None, None]
        for n, (height, width, below) in reversed(list(enumerate(_STEPS))):
            factors = self._merges[n]
            line = factors.backward(kept[1][n], x)
            _lines(out, height, width, below).copy_(line)
            count, rows, columns, channels, _ = x.shape
            shape = (rows, columns, 2) if n == 0 else (2 * rows, columns) if below else (rows, 2 * columns)
            grid = x.new_empty(count, *shape, channels, factors.plan.child_size)
            for child, target in enumerate(_pair(grid, below) if n else grid.unbind(3)):
                factors.hand_down(line, x, child, target)
            x = grid
        self._tiles.backward(kept[0], x, out)


def _lines(boxes: torch.Tensor, height: int, width: int, below: bool) -> torch.Tensor:
    """The separators of (k, C, Y, X) as vectors: a view (k, ny, nx, C, s)."""
    return separators(boxes, height, width, below).permute(0, 2, 3, 1, 4)


def _pair(grid: torch.Tensor, below: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """First and second of the pairs that merge, of a grid (k, ny, nx, ...)."""
    return (grid[:, 0::2], grid[:, 1::2]) if below else (grid[:, :, 0::2], grid[:, :, 1::2])
