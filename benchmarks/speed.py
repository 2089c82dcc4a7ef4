"""How long a picture takes, as ratios to V: python benchmarks/speed.py [--rounds 3]

V is the time of one forward pass of a network with the layer sizes of HDRCNN (Eilertsen 2017: VGG16 encoder, decoder
with skips; 462 kMAC per pixel), random weights, 2048 x 1080 (padded to 1088 rows), float32, channels_last, with the
threads and the allocator that sdr2hdr uses. Seconds depend on the machine and what else it does; ratios of one run
do so much less. Every figure comes from a process of its own, rounds take turns, and the smallest value counts.
"""

import argparse
import itertools
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).parents[1] / "docs" / "sample.jpg"
SIZES = {"2048 x 1080": (1080, 2048), "4000 x 3000": (3000, 4000)}
BARS = {"warm picture, fp32": 0.35, "warm picture, auto": 0.25, "cold call": 0.8}


def hdrcnn() -> Any:
    """HDRCNN's layers with random weights."""
    import torch
    from torch import nn

    class Hdrcnn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            depths = [(3, 64, 2), (64, 128, 2), (128, 256, 3), (256, 512, 3), (512, 512, 3)]
            self.encoder = nn.ModuleList(self.block(*depth) for depth in depths)
            self.latent = self.block(512, 512, 1)
            channels = [512, 512, 512, 256, 128, 64]
            self.up = nn.ModuleList(
                nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in itertools.pairwise(channels)
            )
            self.fuse = nn.ModuleList(nn.Conv2d(2 * c, c, 1) for c in channels[1:])
            self.last, self.fuse_input = nn.Conv2d(64, 3, 1), nn.Conv2d(6, 3, 1)

        @staticmethod
        def block(inputs: int, outputs: int, count: int) -> nn.Sequential:
            layers: list[nn.Module] = []
            for i in range(count):
                layers += [nn.Conv2d(outputs if i else inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
            return nn.Sequential(*layers)

        def forward(self, picture: torch.Tensor) -> torch.Tensor:
            x, skips = picture, []
            for block in self.encoder:
                skips.append(block(x))
                x = nn.functional.max_pool2d(skips[-1], 2)
            x = self.latent(x)
            for up, fuse in zip(self.up, self.fuse, strict=True):
                x = fuse(torch.cat([torch.relu_(up(x)), skips.pop()], 1))
            return self.fuse_input(torch.cat([self.last(x), picture], 1))

    return Hdrcnn().eval().to(memory_format=torch.channels_last)


def part_v() -> dict[str, float]:
    """Seconds of V in this process: the better of two passes after one to warm up."""
    from sdr2hdr import device

    device.tune_allocator()
    import torch

    net = hdrcnn()
    picture = torch.rand(1, 3, 1088, 2048).contiguous(memory_format=torch.channels_last)
    seconds = []
    with torch.inference_mode():
        for _ in range(3):
            begun = time.perf_counter()
            net(picture)
            seconds.append(time.perf_counter() - begun)
    return {"V": min(seconds[1:])}


def part_warm(picture: str, precision: str) -> dict[str, float]:
    """Seconds of a converter's second and third picture, whole and by stage."""
    from sdr2hdr import formats
    from sdr2hdr.pipeline import Converter
    from sdr2hdr.settings import Settings

    converter, image = Converter(Settings(precision=precision)), formats.read(picture)
    best: dict[str, float] = {}
    for turn in range(3):
        begun = time.perf_counter()
        _, report = converter.convert(image)
        seconds = {"all": time.perf_counter() - begun, **report.seconds}
        if turn and (not best or seconds["all"] < best["all"]):
            best = seconds
    return best


def part_cold(picture: str, target: str) -> dict[str, float]:
    """A whole call of the command line: seconds, and peak memory in MB."""
    command = [sys.executable, "-m", "sdr2hdr", "convert", "-y", "-q", picture, target]
    begun = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: status {status}")
    return {"seconds": time.perf_counter() - begun, "megabytes": usage.ru_maxrss / 1024}


def part_start(picture: str) -> dict[str, float]:
    """Seconds from the start of a call to the first byte that it reads from a full pipe."""
    command = [sys.executable, "-m", "sdr2hdr", "convert", "-q", "-", "-"]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stdin
    pipe = process.stdin.fileno()
    os.set_blocking(pipe, False)
    data = memoryview(Path(picture).read_bytes())
    filled = os.write(pipe, data)
    assert filled < len(data), "the picture is too small to fill a pipe"
    select.select([], [pipe], [])  # full until somebody reads
    seconds = time.perf_counter() - begun
    os.set_blocking(pipe, True)
    process.stdin.write(data[filled:])
    process.stdin.close()
    process.wait()
    return {"seconds": seconds}


def run(part: str, *words: str) -> dict[str, float]:
    """One part in a process of its own."""
    out = subprocess.run([sys.executable, __file__, "--part", part, *words], check=True, capture_output=True)
    result: dict[str, float] = json.loads(out.stdout)
    return result


def pictures(folder: Path) -> dict[str, str]:
    """The sample photograph at the sizes measured, with grain, as JPEG."""
    import cv2
    import numpy as np

    paths = {}
    for name, (height, width) in SIZES.items():
        picture = cv2.resize(cv2.imread(str(SAMPLE)), (width, height), interpolation=cv2.INTER_CUBIC)
        grain = np.random.default_rng(1).normal(0, 2, picture.shape)
        paths[name] = str(folder / f"{width}.jpg")
        cv2.imwrite(paths[name], np.clip(picture + grain, 0, 255).astype(np.uint8))
    return paths


def smallest(rounds: list[dict[str, float]], key: str) -> float:
    """Smallest value of a figure over the rounds."""
    return min(figures[key] for figures in rounds)


def measure(rounds: int) -> None:
    """All parts, in turns, and the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = pictures(folder)
        usual, large = paths.values()
        taken: dict[str, list[dict[str, float]]] = {}
        for _ in range(rounds):
            for title, words in {
                "V": ("v",),
                "warm picture, fp32": ("warm", usual, "fp32"),
                "warm picture, auto": ("warm", usual, "auto"),
                "cold call": ("cold", usual, str(folder / "out.exr")),
                "start": ("start", usual),
                "large": ("cold", large, str(folder / "large.exr")),
            }.items():
                taken.setdefault(title, []).append(run(*words))
    v = smallest(taken["V"], "V")
    print(f"V {v:.2f} s (2048 x 1080, smallest of {rounds})")
    for title, bar in BARS.items():
        seconds = smallest(taken[title], "all" if "warm" in title else "seconds")
        print(f"{title:20s} {seconds:6.2f} s  {seconds / v:5.2f} V  (bar {bar} V)")
    print(f"start to first byte  {smallest(taken['start'], 'seconds'):6.2f} s         (bar 3 s)")
    for title in ("warm picture, fp32", "warm picture, auto"):
        best = min(taken[title], key=lambda figures: figures["all"])
        print(f"{title}, by stage: " + ", ".join(f"{k} {v:.2f}" for k, v in best.items() if k != "all"))
    for title, key in (("2048 x 1080", "cold call"), ("4000 x 3000", "large")):
        print(
            f"{title}: call {smallest(taken[key], 'seconds'):.2f} s, peak {smallest(taken[key], 'megabytes'):.0f} MB"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        part, *words = options.part
        parts = {"v": part_v, "warm": part_warm, "cold": part_cold, "start": part_start}
        print(json.dumps(parts[part](*words)))
    else:
        measure(options.rounds)
