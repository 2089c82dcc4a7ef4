"""Seeded batches of training views: whole small pictures and their references, for B-net's coarse scale."""

from dataclasses import dataclass, field

import cv2
import numpy as np
import torch

from sdr2hdr import grade
from sdr2hdr.camera import Camera, Codes, Shot, below_clipping, draw_share, expose, exposure_for, to_709
from sdr2hdr.color.tables import table
from sdr2hdr.color.transfer import pq_encode
from sdr2hdr.grade import Grade
from sdr2hdr.image import SDR_WHITE_NITS, FloatArray
from sdr2hdr.tonemap import brightest
from sdr2hdr.training.negatives import framed, negative
from sdr2hdr.training.pictures import Picture
from sdr2hdr.training.views import real_pair, view

LARGEST = 6e4  # light stays within half's range
_LUMINANCE = table("bt2020_to_xyz")[1:2].astype(np.float32)
_GREY = np.full((1, 3), 1 / 3, np.float32)
ASPECTS = ((2, 3), (3, 4), (1, 1), (4, 3), (3, 2))  # height : width
BRIGHT = (
    0.58,
    0.03,
    3.0,
    0.1,
)  # views are kept by clip((m - .58) / .03, 0, 3) + .1, m the mean PQ of the clipped light


@dataclass(frozen=True)
class Sampling:
    """How views are drawn.

    look : "scene" or "display"
    long_side : pixels of a view
    real : share of a camera's own pairs (scene), of pairs with the author's own SDR version (display)
    graded : display look, share of views of authors' grades; the others are of scenes, graded here
    saturation : sd of the factor on the light's distance from grey
    contrast : sd of the exponent by which luminance is raised about its mean: scenes harder and softer than there are
    turned : share of views with red and blue exchanged (colour augmentation)
    negatives : share of drawn pictures without any highlight
    framed : display look, share of the others that stand on white, grey or black
    camera, grade : the virtual cameras of the two looks
    """

    look: str = "scene"
    long_side: int = 320
    real: float = 0.25
    saturation: float = 0.12
    contrast: float = 0.0
    turned: float = 0.1
    negatives: float = 0.03
    framed: float = 0.0
    graded: float = 0.6
    camera: Camera = field(default_factory=Camera)
    grade: Grade = field(default_factory=Grade)


def sampling_of(look: str, long_side: int = 320) -> Sampling:
    """How views of a look are drawn: the display look's promises rest on what it has seen without a highlight."""
    if look == "scene":
        return Sampling(long_side=long_side, negatives=0.06, turned=0.2, contrast=0.1, saturation=0.15)
    return Sampling(
        look,
        long_side,
        negatives=0.12,
        framed=0.05,
        turned=0.0,
        contrast=0.1,
        saturation=0.15,
        grade=Grade(dim=0.15),
    )


def size_of(aspect: tuple[int, int], long_side: int, multiple: int = 16) -> tuple[int, int]:
    """Height and width with this aspect, long side as wanted, both multiples."""
    scale = long_side / max(aspect)
    height, width = (max(1, round(a * scale / multiple)) * multiple for a in aspect)
    return height, width


def _vary(light: FloatArray, rng: np.random.Generator, sampling: Sampling) -> FloatArray:
    """Augmentation of linear light: contrast, saturation, now and then red and blue exchanged."""
    if sampling.contrast:
        luminance = np.maximum(cv2.transform(light, _LUMINANCE), 1e-6)
        middle = np.exp(np.log(luminance).mean())
        exponent = np.float32(np.clip(rng.normal(0, sampling.contrast), -0.3, 0.3))
        light = np.minimum(light * (luminance / middle)[..., None] ** exponent, LARGEST)
    grey = cv2.transform(light, _GREY)[..., None]
    light = np.maximum(grey + (light - grey) * np.float32(rng.normal(1, sampling.saturation)), 0)
    return np.ascontiguousarray(light[..., ::-1]) if rng.random() < sampling.turned else light


def _brightness(narrow: FloatArray, gain: float) -> float:
    """Mean PQ of the pixels that clip at this gain."""
    top = brightest(narrow) * gain
    top = top[top > 1]
    return float(pq_encode(torch.from_numpy(top) * SDR_WHITE_NITS).mean()) if top.size else 0.0


def _simulated(
    pictures: list[Picture], size: tuple[int, int], rng: np.random.Generator, sampling: Sampling
) -> Shot:
    camera = sampling.camera
    while True:
        light = _vary(view(pictures[int(rng.integers(len(pictures)))], size, rng), rng, sampling)
        narrow = to_709(light)
        if float(narrow.max()) < 1e-5:
            continue
        if rng.random() < camera.unclipped:
            return expose(light, below_clipping(narrow), rng, camera)
        for _ in range(3):
            gain = exposure_for(narrow, draw_share(rng, camera))
            middle, width, most, least = BRIGHT
            weight = least + np.clip((_brightness(narrow, gain) - middle) / width, 0, most)
            if rng.random() * (most + least) < weight:
                return expose(light, gain, rng, camera)


def anchored(codes: Codes, light: FloatArray) -> Shot:
    """A camera's own picture; the light is scaled so that what is just short of clipping lies at 0.9."""
    top, narrow = codes.max(-1), brightest(to_709(light))
    edge = (top >= 240) & (top < 251)
    if edge.sum() < 50:
        edge = top >= np.quantile(top, 0.97)
    gain = 0.9 / max(float(np.median(narrow[edge])), 1e-6)
    return Shot(codes, light * np.float32(gain), gain)


class Shots:
    """Batches of whole views, one aspect a batch, a `feed.Source`."""

    def __init__(
        self, pictures: list[Picture], batch: int, seed: int, sampling: Sampling = Sampling()
    ) -> None:
        self.pictures, self.views, self.seed, self.sampling = pictures, batch, seed, sampling
        self.scenes = [p for p in pictures if not p.graded]
        self.grades = [p for p in pictures if p.graded]
        self.pairs = [p for p in pictures if p.sdr and p.graded == (sampling.look == "display")]

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        """codes (N, 3, H, W) uint8; pq (N, 3, H, W) float16: the reference in PQ, BT.709 primaries, where the camera's
        response acted; real (N,) bool: its scale is only estimated.
        """
        rng = np.random.default_rng([self.seed, number])
        size = size_of(ASPECTS[int(rng.integers(len(ASPECTS)))], self.sampling.long_side)
        return self.assemble([self.draw(size, rng) for _ in range(self.views)])

    def draw(self, size: tuple[int, int], rng: np.random.Generator) -> tuple[Shot, bool]:
        """One view; True where its scale is unknown."""
        kind = rng.random()
        if self.pairs and kind < self.sampling.real:
            codes, light = real_pair(self.pairs[int(rng.integers(len(self.pairs)))], size, rng)
            return (
                anchored(codes, light) if self.sampling.look == "scene" else Shot(codes, light, 1.0)
            ), True
        if kind > 1 - self.sampling.negatives:
            return negative(size, rng, self.sampling.camera), False
        if self.sampling.look == "scene":
            return _simulated(self.pictures, size, rng, self.sampling), False
        shot = self._graded(size, rng)
        return (framed(shot, rng) if rng.random() < self.sampling.framed else shot), False

    def _graded(self, size: tuple[int, int], rng: np.random.Generator) -> Shot:
        """A view for the display look; where the light is a scene's it is graded first."""
        mine = self.grades and (not self.scenes or rng.random() < self.sampling.graded)
        pictures = self.grades if mine else self.scenes
        while True:
            light = _vary(view(pictures[int(rng.integers(len(pictures)))], size, rng), rng, self.sampling)
            if float(light.max()) >= 1e-5:
                make = grade.shoot if mine else grade.shoot_scene
                return make(light, rng, self.sampling.grade)

    @staticmethod
    def assemble(shots: list[tuple[Shot, bool]]) -> dict[str, torch.Tensor]:
        """Shots of one size -> a batch."""
        codes = torch.from_numpy(np.stack([s.codes for s, _ in shots])).permute(0, 3, 1, 2)
        light = torch.from_numpy(np.stack([to_709(s.light) for s, _ in shots])).permute(0, 3, 1, 2)
        pq = pq_encode(light * SDR_WHITE_NITS).half()
        return {"codes": codes, "pq": pq, "real": torch.tensor([real for _, real in shots])}
