"""The steps of nested dissection on a batch of pictures: boxes become fronts, and fronts merge.

Every step has the same three methods, each of which works on whole pictures (N, channels, H, W), enlarged to multiples
of a box: `eliminate` (stencil), `forward` (right-hand sides, read) and `backward` (solution, written over them). A step
comes after those of its children, going back before them.
"""

import torch

from sdr2hdr.wls.boxes import BOUNDARY, BOX, Boxes, Kept
from sdr2hdr.wls.dense import DenseMerge, eliminate
from sdr2hdr.wls.fronts import NOTHING, Side, Sides, merge


class Front:
    """Pixels top <= y < bottom, left <= x < right that have been eliminated, in each picture of a batch.

    sides, size : where its sides lie in its boundary vector, and that vector's length
    matrix : (N, size, size) what is left of the pixels, until the next merge takes it
    vector : (N, C, size) going forward, what they add to the right-hand sides on the boundary; going back, the
        solution there
    """

    def __init__(self, top: int, left: int, bottom: int, right: int, sides: Sides, size: int) -> None:
        self.top, self.left, self.bottom, self.right = top, left, bottom, right
        self.sides, self.size = sides, size
        self.matrix: torch.Tensor | None = None
        self.vector: torch.Tensor | None = None

    @classmethod
    def box(cls, top: int, left: int, height: int, width: int) -> "Front":
        """The inside of a box of a picture of `height` x `width`; its boundary vector has room for all four sides."""
        bottom, right = min(top + BOX - 1, height), min(left + BOX - 1, width)
        exists = left > 0, top > 0, bottom < height, right < width
        lengths = bottom - top, right - left, right - left, bottom - top
        sides = [Side(s.start, n * e) for s, n, e in zip(BOUNDARY, lengths, exists, strict=True)]
        return cls(top, left, bottom, right, Sides(*sides), BOUNDARY.size)

    def take_matrix(self) -> torch.Tensor:
        """The matrix, which the front gives up."""
        matrix, self.matrix = self.matrix, None
        assert matrix is not None
        return matrix

    def take_vector(self) -> torch.Tensor:
        """The vector, which the front gives up."""
        vector, self.vector = self.vector, None
        assert vector is not None
        return vector


class Leaves:
    """Some boxes become fronts."""

    def __init__(self) -> None:
        self.fronts: list[Front] = []
        self._boxes: Boxes
        self._kept: Kept

    def eliminate(self, stencil: torch.Tensor) -> None:
        """Factors of the boxes."""
        self._boxes = Boxes(self._crops(stencil))
        for front, matrix in zip(self.fronts, self._boxes.take().chunk(len(self.fronts)), strict=True):
            front.matrix = matrix

    def forward(self, pictures: torch.Tensor) -> None:
        """Right-hand sides."""
        self._kept, vectors = self._boxes.forward(self._crops(pictures))
        for front, vector in zip(self.fronts, vectors.chunk(len(self.fronts)), strict=True):
            front.vector = vector

    def backward(self, pictures: torch.Tensor) -> None:
        """The solution in the boxes."""
        boundary = torch.cat([front.take_vector() for front in self.fronts])
        out = boundary.new_empty(*boundary.shape[:2], BOX, BOX)
        self._boxes.backward(self._kept, boundary, out)
        del self._kept
        for front, solution in zip(self.fronts, out.chunk(len(self.fronts)), strict=True):
            inside = pictures[..., front.top : front.top + BOX - 1, front.left : front.left + BOX - 1]
            inside.copy_(solution[..., :-1, :-1])

    def _crops(self, pictures: torch.Tensor) -> torch.Tensor:
        return torch.cat([pictures[..., f.top : f.top + BOX, f.left : f.left + BOX] for f in self.fronts])


class Branch:
    """Two fronts merge; or, without a `second`, a front takes in the last row or column of the picture."""

    def __init__(self, first: Front, second: Front | None, below: bool, height: int, width: int) -> None:
        """`second` is below `first`, or on its right, in a picture of `height` x `width`."""
        self._first, self._second, self._below = first, second, below
        bottom, right = first.bottom + below, first.right + (not below)
        if second:
            bottom, right = second.bottom, second.right
        before = first.left > 0 if below else first.top > 0
        after = right < width if below else bottom < height
        self._plan = merge(first.sides, second.sides if second else NOTHING, below, before, after)
        self.front = Front(first.top, first.left, bottom, right, self._plan.sides, self._plan.size)
        self._factors: DenseMerge
        self._y: torch.Tensor

    def eliminate(self, stencil: torch.Tensor) -> None:
        """Factors of the merge."""
        children = self._first.take_matrix(), self._second.take_matrix() if self._second else None
        self._factors, self.front.matrix = eliminate(self._plan, children, self._line(stencil), self._below)

    def forward(self, pictures: torch.Tensor) -> None:
        """Right-hand sides."""
        children = self._first.take_vector(), self._second.take_vector() if self._second else None
        self._y, self.front.vector = self._factors.forward(children, self._line(pictures))

    def backward(self, pictures: torch.Tensor) -> None:
        """The solution on the separator."""
        boundary = self.front.take_vector()
        x = self._factors.backward(self._y, boundary)
        del self._y
        self._line(pictures).copy_(x)
        for n, child in enumerate((self._first, self._second)):
            if child:
                child.vector = x.new_zeros(*x.shape[:-1], child.size)
                self._factors.hand_down(x, boundary, n, child.vector)

    def _line(self, pictures: torch.Tensor) -> torch.Tensor:
        first = self._first
        if self._below:
            return pictures[..., first.bottom, first.left : self.front.right]
        return pictures[..., first.top : self.front.bottom, first.right]
