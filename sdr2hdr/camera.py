"""The virtual camera: HDR light -> the 8-bit picture that a camera would have made of it, and its reference.

One frozen dataclass holds every distribution; everything drawn comes from the generator that is handed in.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from sdr2hdr.color.tables import table
from sdr2hdr.image import FloatArray
from sdr2hdr.tonemap import brightest

Codes = npt.NDArray[np.uint8]
Response = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]  # samples of light and code, both rising
Drawn = dict[str, float | str]  # what was drawn for a picture, by name, for its record

# Responses measured on pairs of a camera's JPEG and the merge of its bracket (green channel, the 58 of 125 pairs that
# reach down to 1/128): logit of the code at 1/2, 1/4 ... 1/128 of the light that clips, its mean and three principal
# components times their spread.
OCTAVES = np.arange(0, 8)
MEASURED_MEAN = np.array([2.112, 1.030, 0.186, -0.568, -1.251, -1.908, -2.597])
MEASURED_COMPONENTS = np.array(
    [
        [0.272, 0.319, 0.319, 0.293, 0.283, 0.283, 0.298],
        [0.269, 0.084, 0.016, -0.018, -0.051, -0.114, -0.179],
        [0.086, -0.040, -0.085, -0.050, -0.017, 0.031, 0.092],
    ]
)


@dataclass(frozen=True)
class Compression:
    """Distributions of what happens to the 8-bit picture.

    jpeg, webp : shares of pictures that go through JPEG and (lossy) WebP
    quality : smallest and largest quality of either, uniform
    subsampled : share of the JPEGs with chroma at half resolution (WebP always has it)
    rescaled : share of pictures that were shrunk and enlarged again before, as on their way through the web
    rescale : smallest and largest factor of that, uniform
    """

    jpeg: float = 0.67
    webp: float = 0.04
    quality: tuple[int, int] = (50, 100)
    subsampled: float = 0.5
    rescaled: float = 0.08
    rescale: tuple[float, float] = (0.5, 0.95)


@dataclass(frozen=True)
class Camera(Compression):
    """Distributions of the simulation; light is linear, 1.0 = the level that clips.

    clipped : smallest and largest share of clipped pixels (any channel), log-uniform (paper, 4.1: 0.5 % .. 25 %)
    unclipped : share of pictures in which nothing clips
    noise : largest sigma of the sensor's noise, half shot and half read noise, uniform from 0
    measured, plain : shares of pictures with a measured response and with plain sRGB; the rest has the sigmoid
    sigmoid_n, sigmoid_s : mean and sd of exponent and offset of (1 + s) x^n / (x^n + s) (Eilertsen et al. 2017)
    balance : sd of the log2 gain of red and blue against green, white balance errors
    """

    clipped: tuple[float, float] = (0.005, 0.25)
    unclipped: float = 0.05
    noise: float = 0.01
    measured: float = 0.15
    plain: float = 0.03
    sigmoid_n: tuple[float, float] = (0.9, 0.1)
    sigmoid_s: tuple[float, float] = (0.6, 0.1)
    balance: float = 0.08


@dataclass(frozen=True)
class Shot:
    """One picture and its reference.

    codes : (H, W, 3) uint8, sRGB-labelled RGB, BT.709 primaries
    light : (H, W, 3) float32 linear BT.2020, scaled so that 1.0 is what clips
    gain : what the input light was multiplied by
    drawn : what was drawn for it, by the names of the distributions' fields where there is one
    """

    codes: Codes
    light: FloatArray
    gain: float
    drawn: Drawn = field(default_factory=dict)


def to_709(light: FloatArray) -> FloatArray:
    """Linear BT.2020 (H, W, 3) -> linear BT.709; what lies outside is clipped to 0."""
    return np.maximum(cv2.transform(light, table("bt2020_to_bt709").astype(np.float32)), 0)


def exposure_for(light: FloatArray, share: float) -> float:
    """Gain at which the largest channel of a `share` of the pixels exceeds 1.0; light is BT.709 (H, W, 3)."""
    level = float(np.quantile(brightest(light), 1 - share))
    return 1 / max(level, 1e-6)


def below_clipping(light: FloatArray) -> float:
    """Gain at which nothing clips, by a little; light is BT.709 (H, W, 3)."""
    return 0.98 / max(float(light.max()), 1e-6)


def draw_share(rng: np.random.Generator, camera: Camera) -> float:
    """A share of clipped pixels, log-uniform."""
    return float(np.exp(rng.uniform(*np.log(camera.clipped))))


def srgb_response() -> Response:
    """sRGB's encoding (IEC 61966-2-1) as a response."""
    return table("srgb_to_linear"), np.linspace(0, 1, len(table("srgb_to_linear")))


def draw_response(rng: np.random.Generator, camera: Camera, drawn: Drawn | None = None) -> Response:
    """A response as samples: light in [0, 1] rising, code in [0, 1] rising from 0 to 1; noted in `drawn`."""
    drawn = {} if drawn is None else drawn
    x = np.concatenate([[0.0], np.exp2(np.linspace(-12, 0, 97))])
    kind = rng.random()
    if kind < camera.measured:
        weights = rng.normal(size=len(MEASURED_COMPONENTS))
        drawn |= {"response": "measured", **{f"component_{i}": float(w) for i, w in enumerate(weights)}}
        logit = MEASURED_MEAN + weights @ MEASURED_COMPONENTS
        code = np.maximum.accumulate(1 / (1 + np.exp(-logit[::-1])))
        y = np.interp(np.log2(x[1:]), -OCTAVES[::-1].astype(float), np.concatenate([code, [1.0]]))
        dark = x[1:] < 2.0**-7  # below the measured range: straight to black
        y[dark] = code[0] * x[1:][dark] * 2.0**7
        return x, np.concatenate([[0.0], y])
    if kind < camera.measured + camera.plain:
        drawn["response"] = "srgb"
        return x, np.interp(x, *srgb_response())
    n = float(np.clip(rng.normal(*camera.sigmoid_n), 0.2, 2.5))
    s = float(np.clip(rng.normal(*camera.sigmoid_s), 0.01, 5))
    drawn |= {"response": "sigmoid", "sigmoid_n": n, "sigmoid_s": s}
    return x, (1 + s) * x**n / (x**n + s)


def respond(light: FloatArray, response: Response) -> Codes:
    """Light in [0, 1] -> 8-bit codes through a response; the table is even in the square root of light."""
    grid = np.linspace(0, 1, 4096)
    curve = (np.interp(grid**2, *response) * 255).astype(np.float32)
    at = np.sqrt(np.clip(light, 0, 1)) * (len(grid) - 1)
    codes: Codes = np.round(curve[np.round(at).astype(np.int32)]).astype(np.uint8)
    return codes


def compress(
    codes: Codes, rng: np.random.Generator, compression: Compression, drawn: Drawn | None = None
) -> Codes:
    """The picture after rescaling and JPEG or WebP, as often and as strongly as is said; noted in `drawn`."""
    drawn = {} if drawn is None else drawn
    kind = rng.random()
    if rng.random() < compression.rescaled:
        factor = float(rng.uniform(*compression.rescale))
        drawn["rescale"] = factor
        small = cv2.resize(codes, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        codes = cv2.resize(small, codes.shape[1::-1], interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    if kind >= compression.jpeg + compression.webp:
        return codes
    quality = int(rng.integers(compression.quality[0], compression.quality[1] + 1))
    if kind >= compression.jpeg:
        drawn |= {"codec": "webp", "quality": quality}
        return _through(".webp", codes, [cv2.IMWRITE_WEBP_QUALITY, quality])
    subsampled = bool(rng.random() < compression.subsampled)
    drawn |= {"codec": "jpeg", "quality": quality, "subsampled": subsampled}
    sampling = 0x221111 if subsampled else 0x111111
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    return _through(".jpg", codes, flags)


def _through(suffix: str, codes: Codes, flags: list[int]) -> Codes:
    """Encoded and decoded again."""
    done, data = cv2.imencode(suffix, codes[..., ::-1], flags)
    if not done:
        raise RuntimeError(f"OpenCV cannot encode {suffix}")
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1])


def shoot(light: FloatArray, rng: np.random.Generator, camera: Camera = Camera()) -> Shot:
    """Take a picture.

    Parameters
    ----------
    light : (H, W, 3) float32, linear BT.2020, any scale

    References
    ----------
    Eilertsen et al. 2017, "HDR image reconstruction from a single exposure using deep CNNs", 4.1, with the share of
    clipped pixels of Zhang and Aydin 2021, 4.1, and a reference that keeps clear of the noise.
    """
    narrow = to_709(light)
    if rng.random() < camera.unclipped:
        return expose(light, below_clipping(narrow), rng, camera)
    return expose(light, exposure_for(narrow, draw_share(rng, camera)), rng, camera)


def expose(light: FloatArray, gain: float, rng: np.random.Generator, camera: Camera) -> Shot:
    """Take a picture at a given exposure: sensor, response, 8 bit, compression (design of `shoot`)."""
    reference = light * np.float32(gain)
    red, blue = rng.normal(0, camera.balance), rng.normal(0, camera.balance)
    reference = np.ascontiguousarray(reference * np.exp2([red, 0, blue]).astype(np.float32))
    sensor = to_709(reference)
    shot, read = rng.uniform(0, camera.noise, 2)
    drawn: Drawn = {
        "clipped": float((brightest(sensor) > 1).mean()),
        "balance_red": float(red),
        "balance_blue": float(blue),
        "noise_shot": float(shot),
        "noise_read": float(0.5 * read),
    }
    sigma = np.sqrt(shot**2 * np.minimum(sensor, 1) + (0.5 * read) ** 2).astype(np.float32)
    sensor = np.clip(sensor + sigma * rng.standard_normal(sensor.shape, dtype=np.float32), 0, 1)
    codes = respond(sensor, draw_response(rng, camera, drawn))
    return Shot(compress(codes, rng, camera, drawn), reference, gain, drawn)
