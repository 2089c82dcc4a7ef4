"""A contact sheet: pairs to look at, one row each: the SDR picture, and its reference at several exposures."""

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from sdr2hdr.camera import Codes, Drawn, respond, srgb_response, to_709
from sdr2hdr.image import SDR_WHITE_NITS, FloatArray
from sdr2hdr.tonemap import brightest
from sdr2hdr.training.simulate import Pair

STOPS = (0, -2, -4)  # exposures of the reference, clipped directly
CELL = (300, 400)  # height and width of a picture, pixels
LABEL = 34  # height of a row's two lines of words
PAPER = 24  # code of the background


@dataclass
class Sheet:
    """Rows are added one after the other; only the small pictures are kept."""

    rows: list[Codes] = field(default_factory=list)

    def add(self, pair: Pair) -> None:
        """Put a pair at the end."""
        light = to_709(pair.shot.light)
        small = _fit(light)
        exposures = [respond(small * np.float32(2.0**stop), srgb_response()) for stop in STOPS]
        cells = [_centred(_fit(pair.shot.codes)), *map(_centred, exposures)]
        row = np.concatenate([_label(pair, float(brightest(light).max()), len(cells)), np.hstack(cells)])
        self.rows.append(row)

    def png(self) -> bytes:
        """The sheet as a PNG file."""
        done, data = cv2.imencode(".png", np.concatenate(self.rows)[..., ::-1])
        if not done:
            raise RuntimeError("OpenCV cannot encode PNG")
        return data.tobytes()


def _fit(pixels: Codes | FloatArray) -> npt.NDArray[np.generic]:
    """Shrunk into a cell, area-averaged; reference in linear light, so that a lamp keeps its light."""
    height, width = pixels.shape[:2]
    scale = min(CELL[0] / height, CELL[1] / width, 1)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def _centred(pixels: npt.NDArray[np.generic]) -> Codes:
    cell = np.full((*CELL, 3), PAPER, np.uint8)
    top, left = (CELL[0] - pixels.shape[0]) // 2, (CELL[1] - pixels.shape[1]) // 2
    cell[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return cell


def _label(pair: Pair, peak: float, cells: int) -> Codes:
    """Two lines: what the picture is; what was drawn for it."""
    band = np.full((LABEL, CELL[1] * cells, 3), PAPER, np.uint8)
    shot = pair.shot
    first = (
        f"{pair.name}: {pair.record['look']}, {shot.codes.shape[1]} x {shot.codes.shape[0]}, "
        f"codes of 255 {np.mean(shot.codes.max(-1) == 255):.1%}, brightest {peak * SDR_WHITE_NITS:.0f} cd/m2"
    )
    titles = "SDR | reference at " + ", ".join(f"{stop:+d}" if stop else "0" for stop in STOPS) + " stops"
    for y, text in ((14, f"{first}   [{titles}]"), (29, _words(shot.drawn))):
        plain = text.encode("ascii", "replace").decode()
        cv2.putText(band, plain, (6, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (220, 220, 220), 1, cv2.LINE_AA)
    return band


def _words(drawn: Drawn) -> str:
    return "  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in drawn.items())
