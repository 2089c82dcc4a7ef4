"""Geometry of nested dissection: the boundary of a front, and how two neighbours merge into one.

A front is a rectangle of pixels that have been eliminated. What is left of them is a dense matrix on the front's
boundary: the pixels west, north, south and east of it, in this order, each side from top to bottom or from left to
right. The corner pixels are no part of a boundary (the stencil has five points), and a side beyond the picture's edge
has length 0. Two neighbours merge by the elimination of the line of pixels between them, the separator.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple


class Side(NamedTuple):
    """One side in a boundary vector."""

    start: int
    length: int


class Sides(NamedTuple):
    """Where the four sides of a front lie in its boundary vector."""

    west: Side
    north: Side
    south: Side
    east: Side

    @classmethod
    def packed(cls, height: int, width: int) -> "Sides":
        """All four sides of a front of `height` x `width` pixels."""
        return cls(*_consecutive((height, width, width, height)))

    @property
    def size(self) -> int:
        """Length of the boundary vector, if the sides are packed."""
        return sum(side.length for side in self)


NOTHING = Sides(*[Side(0, 0)] * 4)  # the front beyond the picture's edge


class Run(NamedTuple):
    """A piece of a child's boundary that is a piece of the merged boundary, too."""

    source: slice
    target: slice


@dataclass(frozen=True)
class Merge:
    """The merge of two fronts.

    separator : number of pixels that it eliminates
    separators : the separator in the boundary of the first and of the second child
    runs : what else of the boundaries of the two children is where in the merged boundary
    before, after : the pixels that continue the separator at its two ends, in the merged boundary; None if beyond the
        picture
    sides : the merged boundary
    size : number of its pixels
    child_size : number of pixels of the first child's boundary
    """

    separator: int
    separators: tuple[slice, slice]
    runs: tuple[tuple[Run, ...], tuple[Run, ...]]
    before: int | None
    after: int | None
    sides: Sides
    size: int
    child_size: int


@cache
def merge(first: Sides, second: Sides, below: bool, before: bool = True, after: bool = True) -> Merge:
    """Plan the merge of `first` with `second`: its neighbour below if `below`, else its neighbour on the right.

    `before` and `after` say whether the separator goes on at its left (upper) and at its right (lower) end.
    `second` is `NOTHING` where the separator is the last line of the picture.
    """
    near, far = ("south", "north") if below else ("east", "west")
    along = ("west", "east") if below else ("north", "south")
    lengths, pieces, corners = [], [], [None, None]
    at = 0
    for name in Sides._fields:
        start = at
        children = (0, 1) if name in along else (0,) if name == far else (1,)
        for child in children:
            side = getattr((first, second)[child], name)
            pieces.append((child, side, at))
            at += side.length
            end = along.index(name) if name in along else None
            if child == 0 and end is not None and (before, after)[end]:
                corners[end] = at
                at += 1
        lengths.append(at - start)
    line, opposite = getattr(first, near), getattr(second, far)
    return Merge(
        separator=line.length,
        separators=(_slice(line), _slice(opposite)),
        runs=(_runs(p[1:] for p in pieces if p[0] == 0), _runs(p[1:] for p in pieces if p[0] == 1)),
        before=corners[0],
        after=corners[1],
        sides=Sides(*_consecutive(lengths)),
        size=at,
        child_size=first.size,
    )


def _slice(side: Side) -> slice:
    return slice(side.start, side.start + side.length)


def _consecutive(lengths: Iterable[int]) -> list[Side]:
    sides, at = [], 0
    for length in lengths:
        sides.append(Side(at, length))
        at += length
    return sides


def _runs(pieces: Iterable[tuple[Side, int]]) -> tuple[Run, ...]:
    """Pieces (side of the child, place in the merged boundary) as few runs: fewer copies later."""
    joined: list[list[int]] = []
    for side, target in pieces:
        if joined and joined[-1][0] + joined[-1][2] == side.start and joined[-1][1] + joined[-1][2] == target:
            joined[-1][2] += side.length
        elif side.length:
            joined.append([side.start, target, side.length])
    return tuple(Run(slice(s, s + n), slice(t, t + n)) for s, t, n in joined)
