"""The virtual camera: HDR light -> the 8-bit picture that a camera would have made of it, and its reference.

One frozen dataclass holds every distribution; everything drawn comes from the generator that is handed in.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sdr2hdr.color.tables import table
from sdr2hdr.image import FloatArray

Codes = npt.NDArray[np.uint8]

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
class Camera:
    """Distributions of the simulation; light is linear, 1.0 = the level that clips.

    clipped : smallest and largest share of clipped pixels (any channel), log-uniform (paper, 4.1: 0.5 % .. 25 %)
    unclipped : share of pictures in which nothing clips
    noise : largest sigma of the sensor's noise, half shot and half read noise, uniform from 0
    measured, plain : shares of pictures with a measured response and with plain sRGB; the rest has the sigmoid
    sigmoid_n, sigmoid_s : mean and sd of exponent and offset of (1 + s) x^n / (x^n + s) (Eilertsen et al. 2017)
    balance : sd of the log2 gain of red and blue against green, white balance errors
    jpeg : share of pictures that go through JPEG
    quality : smallest and largest JPEG quality, uniform
    subsampled : share of those with chroma at half resolution
    """

    clipped: tuple[float, float] = (0.005, 0.25)
    unclipped: float = 0.05
    noise: float = 0.01
    measured: float = 0.15
    plain: float = 0.03
    sigmoid_n: tuple[float, float] = (0.9, 0.1)
    sigmoid_s: tuple[float, float] = (0.6, 0.1)
    balance: float = 0.08
    jpeg: float = 0.67
    quality: tuple[int, int] = (50, 100)
    subsampled: float = 0.5


@dataclass(frozen=True)
class Shot:
    """One picture and its reference.

    codes : (H, W, 3) uint8, sRGB-labelled RGB, BT.709 primaries
    light : (H, W, 3) float32 linear BT.2020, scaled so that 1.0 is what clips
    gain : what the input light was multiplied by
    """

    codes: Codes
    light: FloatArray
    gain: float


def to_709(light: FloatArray) -> FloatArray:
    """Linear BT.2020 (H, W, 3) -> linear BT.709; what lies outside is clipped to 0."""
    return np.maximum(cv2.transform(light, table("bt2020_to_bt709").astype(np.float32)), 0)


def exposure_for(light: FloatArray, share: float) -> float:
    """Gain at which the largest channel of a `share` of the pixels exceeds 1.0; light is BT.709 (H, W, 3)."""
    level = float(np.quantile(light.max(-1), 1 - share))
    return 1 / max(level, 1e-6)


def below_clipping(light: FloatArray) -> float:
    """Gain at which nothing clips, by a little; light is BT.709 (H, W, 3)."""
    return 0.98 / max(float(light.max()), 1e-6)


def draw_share(rng: np.random.Generator, camera: Camera) -> float:
    """A share of clipped pixels, log-uniform."""
    return float(np.exp(rng.uniform(*np.log(camera.clipped))))


def draw_response(
    rng: np.random.Generator, camera: Camera
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """A response as samples: light in [0, 1] rising, code in [0, 1] rising from 0 to 1."""
    x = np.concatenate([[0.0], np.exp2(np.linspace(-12, 0, 97))])
    kind = rng.random()
    if kind < camera.measured:
        logit = MEASURED_MEAN + rng.normal(size=len(MEASURED_COMPONENTS)) @ MEASURED_COMPONENTS
        code = np.maximum.accumulate(1 / (1 + np.exp(-logit[::-1])))
        y = np.interp(np.log2(x[1:]), -OCTAVES[::-1].astype(float), np.concatenate([code, [1.0]]))
        dark = x[1:] < 2.0**-7  # below the measured range: straight to black
        y[dark] = code[0] * x[1:][dark] * 2.0**7
        return x, np.concatenate([[0.0], y])
    if kind < camera.measured + camera.plain:
        return x, np.interp(x, table("srgb_to_linear"), np.linspace(0, 1, len(table("srgb_to_linear"))))
    n = float(np.clip(rng.normal(*camera.sigmoid_n), 0.2, 2.5))
    s = float(np.clip(rng.normal(*camera.sigmoid_s), 0.01, 5))
    return x, (1 + s) * x**n / (x**n + s)


def respond(light: FloatArray, response: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]) -> Codes:
    """Light in [0, 1] -> 8-bit codes through a response; the table is even in the square root of light."""
    grid = np.linspace(0, 1, 4096)
    curve = (np.interp(grid**2, *response) * 255).astype(np.float32)
    at = np.sqrt(np.clip(light, 0, 1)) * (len(grid) - 1)
    codes: Codes = np.round(curve[np.round(at).astype(np.int32)]).astype(np.uint8)
    return codes


def compress(codes: Codes, rng: np.random.Generator, camera: Camera) -> Codes:
    """The picture after JPEG, as often and as strongly as the camera says."""
    if rng.random() >= camera.jpeg:
        return codes
    sampling = 0x221111 if rng.random() < camera.subsampled else 0x111111
    flags = [
        cv2.IMWRITE_JPEG_QUALITY,
        int(rng.integers(camera.quality[0], camera.quality[1] + 1)),
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        sampling,
    ]
    done, data = cv2.imencode(".jpg", codes[..., ::-1], flags)
    if not done:
        raise RuntimeError("OpenCV cannot encode JPEG")
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
    balance = np.exp2(np.array([rng.normal(0, camera.balance), 0, rng.normal(0, camera.balance)])).astype(
        np.float32
    )
    reference = np.ascontiguousarray(reference * balance)
    sensor = to_709(reference)
    shot, read = rng.uniform(0, camera.noise, 2)
    sigma = np.sqrt(shot**2 * np.minimum(sensor, 1) + (0.5 * read) ** 2).astype(np.float32)
    sensor = np.clip(sensor + sigma * rng.standard_normal(sensor.shape, dtype=np.float32), 0, 1)
    return Shot(compress(respond(sensor, draw_response(rng, camera)), rng, camera), reference, gain)
