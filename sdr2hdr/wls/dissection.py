"""Nested dissection of whole pictures: the order of its steps, and the solution of (I + L) u = s by them.

The picture is cut into boxes. Then the two halves of every rectangle of boxes merge, until the whole picture is one
front without a boundary. Halves are independent of each other until they merge: that is what threads share.
"""

from functools import partial
from typing import NamedTuple

import torch

from sdr2hdr.wls.boxes import BOX
from sdr2hdr.wls.stencil import stencil
from sdr2hdr.wls.steps import Branch, Front, Leaves
from sdr2hdr.wls.threads import Run

Task = list[Leaves | Branch]  # steps in order
Stage = list[Task]  # tasks that are independent of each other


class Dissection:
    """The factors of a batch of matrices I + L, made by the first `solve`."""

    def __init__(
        self, across: torch.Tensor, down: torch.Tensor, run: Run, parts: int = 1, boxes: int = 16
    ) -> None:
        """Plan.

        across, down : (N, H, W - 1), (N, H - 1, W) weights of the edges
        run : runs tasks
        parts : number of parts of the picture that are tasks of their own
        boxes : number of boxes that are worked on at once; 16 of them stay in a core's cache
        """
        self._height, self._width = down.shape[1] + 1, across.shape[2] + 1
        self._rows, self._columns = -(-self._height // BOX), -(-self._width // BOX)
        self._run = run
        order = _Order(self._height, self._width, max(1, boxes // across.shape[0]))
        self._stages = order.stages(_Rectangle(0, 0, self._rows, self._columns), parts)
        self._stencil: torch.Tensor | None = stencil(across, down, self._size)

    def solve(self, target: torch.Tensor) -> torch.Tensor:
        """u of (I + L) u = `target`, (N, C, H, W)."""
        pictures = target.new_zeros(*target.shape[:2], *self._size)
        pictures[..., : self._height, : self._width] = target
        for stage in self._stages:
            self._run([partial(_forward, task, self._stencil, pictures) for task in stage])
        self._stencil = None
        for stage in reversed(self._stages):
            self._run([partial(_backward, task, pictures) for task in stage])
        return pictures[..., : self._height, : self._width]

    @property
    def _size(self) -> tuple[int, int]:
        return self._rows * BOX, self._columns * BOX


@torch.no_grad()
def _forward(task: Task, matrix: torch.Tensor | None, pictures: torch.Tensor) -> None:
    """With a `matrix`, steps are factored just before they are used: the factors are in the cache then."""
    for step in task:
        if matrix is not None:
            step.eliminate(matrix)
        step.forward(pictures)


@torch.no_grad()
def _backward(task: Task, pictures: torch.Tensor) -> None:
    for step in reversed(task):
        step.backward(pictures)


class _Rectangle(NamedTuple):
    """Of boxes."""

    top: int
    left: int
    bottom: int
    right: int

    def halves(self) -> tuple["_Rectangle", "_Rectangle", bool]:
        """Two halves, and whether the second one is below the first one."""
        top, left, bottom, right = self
        below = bottom - top >= right - left
        middle = (top + bottom) // 2 if below else (left + right) // 2
        if below:
            return _Rectangle(top, left, middle, right), _Rectangle(middle, left, bottom, right), below
        return _Rectangle(top, left, bottom, middle), _Rectangle(top, middle, bottom, right), below

    @property
    def single(self) -> bool:
        return self.bottom - self.top == self.right - self.left == 1


class _Order:
    """The steps for pictures of `height` x `width`, boxes in groups of `group`."""

    def __init__(self, height: int, width: int, group: int) -> None:
        self._height, self._width, self._group = height, width, group

    def stages(self, rectangle: _Rectangle, parts: int) -> list[Stage]:
        """First the parts, each one task; then their merges, level by level."""
        tasks: Stage = []
        levels: list[Stage] = []
        self._split(rectangle, parts, tasks, levels)
        return [tasks, *reversed(levels)]

    def _split(
        self, rectangle: _Rectangle, parts: int, tasks: Stage, levels: list[Stage], depth: int = 0
    ) -> Front:
        if parts <= 1 or rectangle.single:
            task: Task = []
            tasks.append(task)
            return self._grow(rectangle, task)
        if depth == len(levels):
            levels.append([])
        first, second, below = rectangle.halves()
        fronts = [self._split(half, -(-parts // 2), tasks, levels, depth + 1) for half in (first, second)]
        branch = Branch(fronts[0], fronts[1], below, self._height, self._width)
        levels[depth].append([branch])
        return branch.front

    def _grow(self, rectangle: _Rectangle, task: Task) -> Front:
        """Append to `task` what makes a front of a rectangle of boxes."""
        if rectangle.single:
            return self._leaf(rectangle.top * BOX, rectangle.left * BOX, task)
        first, second, below = rectangle.halves()
        return self._merge(self._grow(first, task), self._grow(second, task), below, task)

    def _leaf(self, top: int, left: int, task: Task) -> Front:
        leaves = next((step for step in reversed(task) if isinstance(step, Leaves)), None)
        if leaves is None or len(leaves.fronts) == self._group:
            leaves = Leaves()
            task.append(leaves)
        front = Front.box(top, left, self._height, self._width)
        leaves.fronts.append(front)
        if front.right == self._width - 1:  # the box's last column is the picture's, and nothing follows
            front = self._merge(front, None, False, task)
        if front.bottom == self._height - 1:
            front = self._merge(front, None, True, task)
        return front

    def _merge(self, first: Front, second: Front | None, below: bool, task: Task) -> Front:
        branch = Branch(first, second, below, self._height, self._width)
        task.append(branch)
        return branch.front
