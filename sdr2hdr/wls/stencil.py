"""The matrix I + L of the filter as a five-point stencil, and the places of separators in it.

A stencil is (N, 5, H, W): per pixel the diagonal and the weights of the edges to its four neighbours, in the order of
`DIAGONAL`, `WEST`, `NORTH`, `SOUTH`, `EAST`. Edges beyond the picture weigh 0.
"""

import torch

DIAGONAL, WEST, NORTH, SOUTH, EAST = range(5)


def stencil(across: torch.Tensor, down: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """The stencil, enlarged to `size` by pixels that stand alone.

    across : (N, H, W - 1) weights of the edges between horizontal neighbours
    down : (N, H - 1, W) weights of those between vertical ones
    """
    count, rows, columns = across.shape[0], across.shape[1], down.shape[2]
    out = across.new_zeros(count, 5, *size)
    out[:, EAST, :rows, : columns - 1] = out[:, WEST, :rows, 1:columns] = across
    out[:, SOUTH, : rows - 1, :columns] = out[:, NORTH, 1:rows, :columns] = down
    torch.sum(out[:, 1:], dim=1, out=out[:, DIAGONAL]).add_(1)
    return out


def residual(target: torch.Tensor, u: torch.Tensor, across: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """target - (I + L) u, for (N, C, H, W).

    Written with differences of neighbours: what rounding does to an edge then cancels in the sum over the picture,
    and such an error hardly moves the solution.
    """
    out = target - u
    flow = (u[..., 1:] - u[..., :-1]).mul_(across[:, None])
    out[..., :-1] += flow
    out[..., 1:] -= flow
    flow = (u[..., 1:, :] - u[..., :-1, :]).mul_(down[:, None])
    out[..., :-1, :] += flow
    out[..., 1:, :] -= flow
    return out


def along(below: bool) -> tuple[int, int]:
    """Channels of a separator's own edges: to the next pixel of the line, and from the first one to the one before.

    `below`: the separator lies between a front and the one below it, so it is a row of pixels; else a column.
    """
    return (EAST, WEST) if below else (SOUTH, NORTH)


def separators(pixels: torch.Tensor, height: int, width: int, below: bool) -> torch.Tensor:
    """The separators between pairs of fronts in a grid: a view (..., ny, nx, length) of `pixels` (..., Y, X).

    height, width : pitch of the fronts' grid in pixels; the last row and column of each cell belong to no front
    """
    if below:
        rows = torch.unflatten(pixels[..., height - 1 :: 2 * height, :], -1, (-1, width))
        return rows[..., : width - 1]
    columns = torch.unflatten(pixels[..., width - 1 :: 2 * width], -2, (-1, height))
    return columns[..., : height - 1, :].transpose(-1, -2)
