"""Matrices between any primaries, from the chromaticities that files state."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)  # ICC, annex E


def to_xyz(chromaticities: Array) -> Array:
    """RGB -> XYZ of primaries and white point given as (8,) x, y of R, G, B, W (SMPTE RP 177).

    Raises
    ------
    numpy.linalg.LinAlgError
        Primaries on a line.
    """
    x, y = chromaticities[0::2], chromaticities[1::2]
    xyz = np.stack([x / y, np.ones(4), (1 - x - y) / y]).astype(np.float64)
    return np.asarray(xyz[:, :3] * np.linalg.solve(xyz[:, :3], xyz[:, 3]))


def adapt(source: Array, target: Array) -> Array:
    """XYZ under one white -> XYZ under another (linear Bradford, ICC.1:2022, annex E)."""
    gain = (_BRADFORD @ target) / (_BRADFORD @ source)
    return np.asarray(np.linalg.solve(_BRADFORD, gain[:, None] * _BRADFORD))


def between(source: Array, target: Array) -> Array:
    """Linear RGB -> linear RGB, both given by chromaticities (8,) of R, G, B, W; white stays white."""
    given, wanted = to_xyz(source), to_xyz(target)
    return np.asarray(np.linalg.solve(wanted, adapt(given.sum(1), wanted.sum(1)) @ given))
