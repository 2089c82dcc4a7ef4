"""Code values of any file -> light, by what the file says that they mean."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from sdr2hdr.color.inplace import Lookup, pq_decode, srgb_light
from sdr2hdr.color.primaries import between, to_xyz
from sdr2hdr.color.tables import CODES, table
from sdr2hdr.errors import InputError
from sdr2hdr.formats._examined import Chromaticities, Signalling
from sdr2hdr.image import SDR_WHITE_NITS, FloatArray

ROWS = 64  # of a strip

# BT.2100-2, table 5: hybrid log-gamma on the screen of 1000 cd/m2 that its levels are stated for
HLG_A, HLG_B, HLG_C = 0.17883277, 0.28466892, 0.55991073
HLG_PEAK_NITS, HLG_SYSTEM_GAMMA = 1000.0, 1.2

_SAME = 2e-3  # chromaticities that differ by less are the same; files round them
_ACES: Chromaticities = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.0770, 0.32168, 0.33767)  # SMPTE ST 2065-1


def light_of(values: FloatArray, signalling: Signalling) -> FloatArray:
    """Light that a screen shows for code values.

    PQ is absolute. HLG is what BT.2100's screen of 1000 cd/m2 makes of it (system gamma 1.2 on the luminance), which
    puts its reference white, a signal of 0.75, at 203 cd/m2. Linear values are relative to 203 cd/m2 unless the file
    states the luminance of 1.0; so are sRGB and plain powers, whose 1.0 is SDR white, and whose curves go on beyond
    0 and 1, which floating-point files may hold. White stays white when the primaries are changed (linear Bradford).

    Parameters
    ----------
    values : (H, W, 3) float32, any strides: full-range signal, for PQ and HLG clamped to [0, 1]; linear light as it is
    signalling : what the values mean

    Returns
    -------
    (3, H, W) float32, linear, BT.2020 primaries (negative outside of them), 1.0 = 203 cd/m2

    Raises
    ------
    InputError
        The stated primaries enclose no colours.
    """
    source = chromaticities(signalling)
    target = table("chromaticities_bt2020")
    matrix = None if np.array_equal(source, target) else _matrix(source, target)
    decode = _decoder(signalling, source)
    light = np.empty((3, *values.shape[:2]), np.float32)
    for top in range(0, values.shape[0], ROWS):
        strip = decode(np.moveaxis(values[top : top + ROWS], -1, 0))
        light[:, top : top + ROWS] = strip if matrix is None else _through(strip, matrix)
    return light


def chromaticities(signalling: Signalling) -> npt.NDArray[np.float64]:
    """x and y of red, green, blue and white, (8,)."""
    if signalling.chromaticities is not None:
        return np.array(signalling.chromaticities, np.float64)
    if signalling.primaries == "aces":
        return np.array(_ACES)
    return table(f"chromaticities_{signalling.primaries}")


def name_of(at: Sequence[float]) -> str:
    """Name of the primaries and the white with these x and y (8); "custom" if they have none."""
    for name in ("bt709", "p3", "bt2020", "acescg", "aces"):
        if np.allclose(at, chromaticities(Signalling(primaries=name)), rtol=0, atol=_SAME):
            return name
    return "custom"


def _matrix(source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> FloatArray:
    try:
        with np.errstate(all="ignore"):
            matrix = between(source, target).astype(np.float32)
    except np.linalg.LinAlgError:
        matrix = np.full((3, 3), np.nan, np.float32)
    if not np.isfinite(matrix).all():
        raise InputError("states primaries that enclose no colours; export it again")
    return matrix


def _through(light: FloatArray, matrix: FloatArray) -> FloatArray:
    """(3, h, W) through a matrix; infinities, which floating-point files may hold, stay infinite or become NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.einsum("dc,chw->dhw", matrix, light, dtype=np.float32, casting="same_kind")


def _decoder(signalling: Signalling, source: npt.NDArray[np.float64]) -> Callable[[FloatArray], FloatArray]:
    """Signal (3, h, W) -> light (3, h, W) in the file's own primaries."""
    if signalling.transfer == "linear":
        scale = np.float32((signalling.white_nits or SDR_WHITE_NITS) / SDR_WHITE_NITS)
        return lambda values: np.asarray(values * scale, np.float32)
    if signalling.transfer == "hlg":
        return lambda values: _hlg_display(_hlg_scene()(values), source)
    if signalling.transfer == "pq":
        return _pq()
    if signalling.transfer == "srgb":
        return _extended(srgb_light(), _srgb_beyond)
    return _extended(_power(signalling.gamma), lambda values: values ** np.float32(signalling.gamma))


def _extended(
    inside: Callable[[FloatArray], FloatArray], beyond: Callable[[FloatArray], FloatArray]
) -> Callable[[FloatArray], FloatArray]:
    """A curve on [0, 1], and a formula for what lies beyond, whose sign is kept (IEC 61966-2-1, annex F)."""

    def decode(values: FloatArray) -> FloatArray:
        outside = ~((values >= 0) & (values <= 1))
        if not outside.any():
            return inside(values)
        light = inside(np.where(outside, np.float32(0), values))
        with np.errstate(over="ignore"):
            light[outside] = np.copysign(beyond(np.abs(values[outside])), values[outside])
        return light

    return decode


def _srgb_beyond(values: FloatArray) -> FloatArray:
    bright = ((values + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(values <= 0.04045, values / np.float32(12.92), bright).astype(np.float32)


@cache
def _pq() -> Lookup:
    """PQ signal -> light, 1.0 = 203 cd/m2 (ST 2084, 5.1)."""
    nits = np.linspace(0, 1, CODES, dtype=np.float32)
    pq_decode(nits)
    nits[0] = 0
    return Lookup(nits / np.float32(SDR_WHITE_NITS))


@cache
def _power(gamma: float) -> Lookup:
    return Lookup((np.linspace(0, 1, CODES) ** gamma).astype(np.float32))


@cache
def _hlg_scene() -> Lookup:
    """HLG signal -> light of the scene in [0, 1] (BT.2100-2, table 5: inverse OETF)."""
    signal = np.linspace(0, 1, CODES)
    bright = (np.exp((signal - HLG_C) / HLG_A) + HLG_B) / 12
    return Lookup(np.where(signal <= 0.5, signal**2 / 3, bright).astype(np.float32))


def _hlg_display(scene: FloatArray, source: npt.NDArray[np.float64]) -> FloatArray:
    """Light of the scene -> light of the screen (BT.2100-2, table 5: OOTF), 1.0 = 203 cd/m2; in place."""
    luminance = np.tensordot(to_xyz(source)[1].astype(np.float32), scene, 1)
    np.maximum(luminance, 0, out=luminance)
    np.power(luminance, HLG_SYSTEM_GAMMA - 1, out=luminance)
    luminance *= np.float32(HLG_PEAK_NITS / SDR_WHITE_NITS)
    scene *= luminance
    return scene
