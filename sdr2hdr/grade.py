"""The virtual camera of the display look: HDR light -> graded HDR reference -> the 8-bit SDR version of it.

A scene-referred picture is graded first (`master`), a display-referred one, 1.0 = 203 cd/m2, is taken as it is. The
SDR version is what graders, broadcasters and phones derive (`derive`). One frozen dataclass holds every distribution;
everything drawn comes from the generator that is handed in.
"""

from dataclasses import asdict, dataclass, replace

import cv2
import numpy as np

from sdr2hdr.camera import (
    Compression,
    Drawn,
    Response,
    Shot,
    below_clipping,
    compress,
    exposure_for,
    respond,
    srgb_response,
    to_709,
)
from sdr2hdr.color import bt2446
from sdr2hdr.color.tables import table
from sdr2hdr.image import SDR_WHITE_NITS, FloatArray
from sdr2hdr.tonemap import brightest, global_max, local, scale_to, shoulder

KINDS = ("clip", "bt2446a", "bt2446c", "max_rgb", "per_channel", "local")
USED = {  # fields of `Trim` that concern only some of the kinds
    "start": KINDS[3:],
    "reach": KINDS[3:],
    "logarithmic": KINDS[3:],
    "fade": ("max_rgb", "local"),
    "radius": ("local",),
    "edge": ("local",),
    "crosstalk": ("bt2446c",),
    "refitted": ("bt2446a", "bt2446c"),
    "video": KINDS[:3],
}
MIDDLE_GREY = 0.18
SPECKS = 0.999  # the brightest light of a picture is this quantile: sparks may clip, as on phones


@dataclass(frozen=True)
class Grade(Compression):
    """Distributions of the simulation; light is linear, 1.0 = SDR white, 203 cd/m2.

    Of a master that is graded from scene light:

    bright : smallest and largest share of pixels above SDR white, log-uniform, as the scene look's clipped ones
    dim : share of pictures in which nothing is above SDR white
    contrast : mean and sd of the exponent on light (1.0 stays), the rendering from scene to screen (HLG's is 1.2)
    peak_nits : smallest and largest luminance that the brightest light is rolled off to, cd/m2, log-uniform
    peak_knee : share of the peak where that roll-off begins

    Of the SDR version:

    clip : share of pictures that are clipped at SDR white (BT.2408, the inverse of its mapping of SDR into HDR)
    bt2446a, bt2446c : shares that go through methods A and C of BT.2446
    max_rgb, per_channel : shares with one shoulder, on the largest channel and on each channel; the rest is locally
        adapted
    start : smallest and largest SDR signal where a shoulder begins, uniform; the light there is its sRGB decoding
    reach : a and b of a beta distribution; (brightest light)^reach becomes white. 0: hard clip, 1: all of it is rolled
        off. Authors' SDR versions have 0.0 to 0.8 % of clipped pixels, so 1 is the likeliest
    logarithmic : smallest and largest weight of the logarithmic shoulder against the rational one, uniform
    fade : smallest and largest amount by which what a shoulder on the largest channel or on the base compresses goes
        to white, uniform (a shoulder on each channel does that by itself)
    radius : smallest and largest radius of the local operator's windows, as a share of the long side, log-uniform
    edge : smallest and largest contrast that it takes for an edge, stops, log-uniform
    saturation : mean and sd of the factor on the light's distance from grey
    balance : sd of the log2 gain of red and blue against green
    crosstalk : smallest and largest alpha of method C, uniform (see `bt2446.method_c`)
    refitted : share of the pictures of methods A and C whose exposure is trimmed so that middle grey stays; untrimmed,
        A darkens it by 0.9 stops and C brightens it by 0.8
    video : share of the pictures of clip and methods A and C with BT.1886's gamma of 2.4, frames of a film taken
        for sRGB; all else is sRGB-encoded
    """

    bright: tuple[float, float] = (0.005, 0.25)
    dim: float = 0.05
    contrast: tuple[float, float] = (1.1, 0.08)
    peak_nits: tuple[float, float] = (1000.0, 4000.0)
    peak_knee: float = 0.5

    clip: float = 0.1
    bt2446a: float = 0.05
    bt2446c: float = 0.05
    max_rgb: float = 0.2
    per_channel: float = 0.2
    start: tuple[float, float] = (0.4, 0.95)
    reach: tuple[float, float] = (2.0, 1.0)
    logarithmic: tuple[float, float] = (0.0, 1.0)
    fade: tuple[float, float] = (0.0, 0.6)
    radius: tuple[float, float] = (0.02, 0.12)
    edge: tuple[float, float] = (0.3, 1.2)
    saturation: tuple[float, float] = (1.0, 0.06)
    balance: float = 0.02
    crosstalk: tuple[float, float] = (0.0, 0.1)
    refitted: float = 0.7
    video: float = 0.3


@dataclass(frozen=True)
class Trim:
    """What was drawn for one SDR version; the fields are those of `Grade`."""

    kind: str
    start: float
    reach: float
    logarithmic: float
    fade: float
    radius: float
    edge: float
    saturation: float
    balance_red: float
    balance_blue: float
    crosstalk: float
    refitted: bool
    video: bool

    def drawn(self) -> Drawn:
        """What concerns this kind, for the record."""
        return {k: v for k, v in asdict(self).items() if self.kind in USED.get(k, KINDS)}


@dataclass(frozen=True)
class Master:
    """A graded HDR picture.

    light : (H, W, 3) float32 linear BT.2020, 1.0 = 203 cd/m2
    gain : what the scene's light was multiplied by before it was graded
    drawn : what was drawn for it
    """

    light: FloatArray
    gain: float
    drawn: Drawn


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(*np.log(bounds))))


def draw(rng: np.random.Generator, grade: Grade) -> Trim:
    """Everything about one SDR version, always the same number of draws."""
    shares = np.cumsum([getattr(grade, kind) for kind in KINDS[:-1]])
    return Trim(
        kind=KINDS[int(np.searchsorted(shares, rng.random(), side="right"))],
        start=float(rng.uniform(*grade.start)),
        reach=float(rng.beta(*grade.reach)),
        logarithmic=float(rng.uniform(*grade.logarithmic)),
        fade=float(rng.uniform(*grade.fade)),
        radius=_log_uniform(rng, grade.radius),
        edge=_log_uniform(rng, grade.edge),
        saturation=float(rng.normal(*grade.saturation)),
        balance_red=float(rng.normal(0, grade.balance)),
        balance_blue=float(rng.normal(0, grade.balance)),
        crosstalk=float(rng.uniform(*grade.crosstalk)),
        refitted=bool(rng.random() < grade.refitted),
        video=bool(rng.random() < grade.video),
    )


def master(light: FloatArray, rng: np.random.Generator, grade: Grade, gain: float | None = None) -> Master:
    """Grade scene light as an HDR author does: exposure, contrast, roll-off to a screen's peak.

    Parameters
    ----------
    light : (H, W, 3) float32, linear BT.2020, any scale
    gain : exposure that puts SDR white at 1.0; drawn if it is not given
    """
    narrow = to_709(light)
    if gain is None:
        is_dim, share = rng.random() < grade.dim, _log_uniform(rng, grade.bright)
        gain = below_clipping(narrow) if is_dim else exposure_for(narrow, share)
    contrast, peak_nits = float(rng.normal(*grade.contrast)), _log_uniform(rng, grade.peak_nits)
    scaled = light * np.float32(gain)
    m, peak = brightest(scaled), peak_nits / SDR_WHITE_NITS
    graded = np.maximum(m, 0) ** np.float32(contrast)
    # the rational curve alone: it never stops rising, so no highlight is lost
    rolled = shoulder(graded / np.float32(peak), grade.peak_knee, float(graded.max()) / peak) * np.float32(
        peak
    )
    drawn: Drawn = {
        "bright": float((brightest(narrow) * np.float32(gain) > 1).mean()),
        "contrast": contrast,
        "peak_nits": peak_nits,
    }
    return Master(scale_to(scaled, m, rolled), gain, drawn)


def _trimmed(light: FloatArray, trim: Trim) -> FloatArray:
    """The grader's saturation and white balance, before the highlights are rolled off, so that white stays white."""
    gains = np.exp2([trim.balance_red, 0, trim.balance_blue])
    grey = np.tile(table("bt2020_to_xyz")[1], (3, 1))
    matrix = gains[:, None] * (trim.saturation * np.eye(3) + (1 - trim.saturation) * grey)
    return np.maximum(cv2.transform(light, matrix.astype(np.float32)), 0)


def _broadcast(light: FloatArray, trim: Trim) -> FloatArray:
    """Methods A and C of BT.2446 on BT.2020 light, 1.0 = 203 cd/m2; SDR light in BT.709."""
    peak = float(np.quantile(brightest(light)[::4, ::4], SPECKS)) * SDR_WHITE_NITS
    peak = float(np.clip(peak, bt2446.MASTER_NITS, 4 * bt2446.MASTER_NITS))

    def method(nits: FloatArray) -> FloatArray:
        if trim.kind == "bt2446a":
            return bt2446.method_a(nits, peak)
        return bt2446.method_c(nits, trim.crosstalk)

    if trim.refitted:
        ramp = np.linspace(0, 1, 256, dtype=np.float32)
        grey = method(np.repeat(ramp[None, :, None], 3, 2) * np.float32(SDR_WHITE_NITS))[0, :, 0]
        light = light * np.float32(np.interp(MIDDLE_GREY, grey, ramp) / MIDDLE_GREY)
    return to_709(method(light * np.float32(SDR_WHITE_NITS)))


def derive(light: FloatArray, trim: Trim) -> FloatArray:
    """The SDR version's light, BT.709, [0, 1], of a graded HDR picture, BT.2020, 1.0 = 203 cd/m2; (H, W, 3)."""
    light = _trimmed(light, trim)
    if trim.kind in ("bt2446a", "bt2446c"):
        return np.minimum(_broadcast(light, trim), 1)
    narrow = to_709(light)
    top = float(np.quantile(brightest(narrow)[::4, ::4], SPECKS))
    if trim.kind == "clip" or top <= 1:
        return np.minimum(narrow, 1)
    start = float(np.interp(trim.start, *srgb_response()[::-1]))
    curve = (start, top**trim.reach, trim.logarithmic)
    if trim.kind == "per_channel":
        return shoulder(narrow, *curve)
    if trim.kind == "max_rgb":
        return np.minimum(global_max(narrow, *curve, trim.fade), 1)
    radius = max(1, round(trim.radius * max(narrow.shape[:2])))
    return np.minimum(local(narrow, *curve, trim.fade, radius, trim.edge), 1)


def encoding(trim: Trim) -> Response:
    """The curve from SDR light to signal."""
    if trim.video and trim.kind in USED["video"]:
        signal = np.linspace(0, 1, 1025)
        return signal**bt2446.GAMMA, signal
    return srgb_response()


def shoot(light: FloatArray, rng: np.random.Generator, grade: Grade = Grade()) -> Shot:
    """The pair of a display-referred picture: an SDR version of it, and itself.

    Parameters
    ----------
    light : (H, W, 3) float32, linear BT.2020, 1.0 = 203 cd/m2
    """
    trim = draw(rng, grade)
    drawn = trim.drawn()
    codes = respond(derive(light, trim), encoding(trim))
    return Shot(compress(codes, rng, grade, drawn), light, 1.0, drawn)


def shoot_scene(
    light: FloatArray, rng: np.random.Generator, grade: Grade = Grade(), gain: float | None = None
) -> Shot:
    """The pair of a scene-referred picture: `master`, then `shoot`. Its gain is the exposure."""
    graded = master(light, rng, grade, gain)
    shot = shoot(graded.light, rng, grade)
    return replace(shot, gain=graded.gain, drawn=graded.drawn | shot.drawn)
