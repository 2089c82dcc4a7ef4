"""Views: what a camera with a finite field of view would see of an HDR picture."""

import cv2
import numpy as np

from sdr2hdr.camera import Codes
from sdr2hdr.color.tables import table
from sdr2hdr.image import FloatArray
from sdr2hdr.training.pictures import Picture

FIELD = (45.0, 110.0)  # horizontal field of view, degrees
PITCH = (-35.0, 45.0)  # degrees, up is positive
FINEST = 2.0  # a view is sampled at most this much finer than its panorama


def _directions(size: tuple[int, int], field: float, yaw: float, pitch: float) -> FloatArray:
    """Unit vectors (x right, y up, z forward) of a view's pixels, (H, W, 3); angles in radians."""
    height, width = size
    half = np.tan(field / 2)
    x = (np.arange(width) + 0.5) / width * 2 - 1
    y = 1 - (np.arange(height) + 0.5) / height * 2
    d = np.stack(np.broadcast_arrays(x[None] * half, y[:, None] * half * height / width, 1.0), -1)
    cp, sp, cy, sy = np.cos(pitch), np.sin(pitch), np.cos(yaw), np.sin(yaw)
    up = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    round_ = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    d = d @ (round_ @ up).T
    return (d / np.linalg.norm(d, axis=-1, keepdims=True)).astype(np.float32)


def _from_equirect(light: FloatArray, d: FloatArray) -> FloatArray:
    height, width = light.shape[:2]
    u = (np.arctan2(d[..., 0], d[..., 2]) / (2 * np.pi) + 0.5) * width - 0.5
    v = np.arccos(np.clip(d[..., 1], -1, 1)) / np.pi * height - 0.5
    return cv2.remap(
        light, u, np.clip(v, 0, height - 1).astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )


def _from_cube(light: FloatArray, d: FloatArray) -> FloatArray:
    """Faces +x -x +y -y +z -z side by side, each as seen from the centre (OpenGL's convention)."""
    n = light.shape[0]
    x, y, z = d[..., 0], d[..., 1], d[..., 2]
    a = np.abs(d)
    axis = a.argmax(-1)
    major = np.take_along_axis(d, axis[..., None], -1)[..., 0]
    face = axis * 2 + (major < 0)
    s = np.choose(face, [-z, z, x, x, x, -x]) / np.abs(major)
    t = np.choose(face, [-y, -y, z, -z, -y, -y]) / np.abs(major)
    u = np.clip((s + 1) / 2 * n - 0.5, 0, n - 1) + face * n
    v = np.clip((t + 1) / 2 * n - 0.5, 0, n - 1)
    return cv2.remap(light, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR)


def panorama_view(picture: Picture, size: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """A random perspective view of a panorama or cube map, (H, W, 3) float32."""
    light = picture.light.astype(np.float32)
    around = light.shape[1] if picture.projection == "equirect" else light.shape[0] * 4
    narrowest = size[1] / FINEST / around * 360  # degrees whose own pixels are half the view's
    field = np.radians(rng.uniform(min(max(FIELD[0], narrowest), FIELD[1]), FIELD[1]))
    d = _directions(size, field, rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(*PITCH)))
    return _from_equirect(light, d) if picture.projection == "equirect" else _from_cube(light, d)


def crop_window(
    shape: tuple[int, ...], size: tuple[int, int], rng: np.random.Generator
) -> tuple[slice, slice]:
    """Window of a photograph with the aspect of `size`: 60 to 100 % of the largest that fits, anywhere."""
    largest = min(shape[0] / size[0], shape[1] / size[1])
    scale = largest * rng.uniform(0.6, 1)
    height, width = min(int(size[0] * scale), shape[0]), min(int(size[1] * scale), shape[1])
    top, left = int(rng.integers(0, shape[0] - height + 1)), int(rng.integers(0, shape[1] - width + 1))
    return slice(top, top + height), slice(left, left + width)


def shrink(pixels: FloatArray, size: tuple[int, int]) -> FloatArray:
    """(H, W, 3) linear light -> `size` (height, width), area-averaged where it shrinks."""
    method = cv2.INTER_AREA if pixels.shape[0] > size[0] else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(pixels), size[::-1], interpolation=method)


def view(picture: Picture, size: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """A random view of a picture, mirrored in half of the cases, (H, W, 3) float32 linear BT.2020."""
    if picture.projection == "photo":
        rows, columns = crop_window(picture.light.shape, size, rng)
        light = shrink(picture.light[rows, columns].astype(np.float32), size)
    else:
        light = panorama_view(picture, size, rng)
    return np.ascontiguousarray(light[:, ::-1]) if rng.random() < 0.5 else light


def real_pair(picture: Picture, size: tuple[int, int], rng: np.random.Generator) -> tuple[Codes, FloatArray]:
    """A window of a camera's own picture (codes) and of its reference (linear), shrunk in light and mirrored alike."""
    codes = picture.sdr[int(rng.integers(len(picture.sdr)))]
    rows, columns = crop_window(picture.light.shape, size, rng)
    light = shrink(picture.light[rows, columns].astype(np.float32), size)
    decoded = shrink(cv2.LUT(codes[rows, columns], table("srgb_to_linear")[::257].astype(np.float32)), size)
    encode = table("linear_to_srgb").astype(np.float32) * 255
    small = np.round(encode[np.round(decoded * 65535).astype(np.int32)]).astype(np.uint8)
    if rng.random() < 0.5:
        return np.ascontiguousarray(small[:, ::-1]), np.ascontiguousarray(light[:, ::-1])
    return small, light
