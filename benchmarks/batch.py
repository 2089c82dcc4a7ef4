"""How many pictures a minute a batch converts, as a ratio to a plain loop: python benchmarks/batch.py [--rounds 5]

The plain loop reads, converts and writes one picture after the other with one warm `Converter` and all threads; the
batch is `sdr2hdr.jobs.batch.run` as the command line calls it, with the same nets. Both take turns in one process, so
a ratio compares neighbours in time; the median of the rounds counts, for what else the machine does comes and goes.
The bar is 1.15.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from sdr2hdr import device

device.tune_allocator()

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

from sdr2hdr import formats  # noqa: E402
from sdr2hdr.jobs import batch, convert  # noqa: E402
from sdr2hdr.jobs.convert import Job  # noqa: E402
from sdr2hdr.settings import Settings  # noqa: E402

SAMPLE = Path(__file__).parents[1] / "docs" / "sample.jpg"
BAR = 1.15


def pictures(folder: Path, count: int) -> list[Job]:
    """The sample photograph at 2048 x 1080, each with its own grain and exposure, as JPEG."""
    sample = cv2.resize(cv2.imread(str(SAMPLE)), (2048, 1080), interpolation=cv2.INTER_CUBIC)
    jobs = []
    for i in range(count):
        rng = np.random.default_rng(i)
        picture = sample * rng.uniform(0.8, 1.2) + rng.normal(0, 2, sample.shape)
        path = folder / f"{i}.jpg"
        cv2.imwrite(str(path), np.clip(picture, 0, 255).astype(np.uint8))
        jobs.append(Job(path, folder / f"{i}.exr", overwrite=True))
    return jobs


def plain_loop(jobs: list[Job], settings: Settings) -> float:
    """Seconds."""
    converter = convert.converter(settings)
    begun = time.perf_counter()
    for job in jobs:
        assert job.source is not None
        assert job.target is not None
        formats.write(job.target, converter(formats.read(job.source)), overwrite=True)
    return time.perf_counter() - begun


def batched(jobs: list[Job], settings: Settings, at_once: int | None) -> float:
    """Seconds."""
    begun = time.perf_counter()
    outcomes = list(batch.run(jobs, settings, at_once))
    seconds = time.perf_counter() - begun
    assert [outcome.status for outcome in outcomes] == ["done"] * len(jobs), outcomes
    return seconds


def measure(rounds: int, count: int, at_once: int | None) -> None:
    """The rounds, and their median."""
    settings = Settings()
    with tempfile.TemporaryDirectory() as name:
        jobs = pictures(Path(name), count)
        convert.converter(settings)(formats.read(jobs[0].source or ""))  # warm
        ratios = []
        print(f"{count} pictures of 2048 x 1080, {torch.get_num_threads()} threads")
        for turn in range(rounds):
            for job in jobs:
                assert job.target is not None
                job.target.unlink(missing_ok=True)
            loop = plain_loop(jobs, settings)
            for job in jobs:
                assert job.target is not None
                job.target.unlink()
            ours = batched(jobs, settings, at_once)
            ratios.append(loop / ours)
            print(
                f"round {turn + 1}: loop {loop / count:.2f} s a picture, batch {ours / count:.2f}, "
                f"ratio {ratios[-1]:.2f}, load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    print(f"median {statistics.median(ratios):.2f} (bar {BAR}), {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--jobs", type=int, help="pictures side by side")
    options = parser.parse_args()
    measure(options.rounds, options.pictures, options.jobs)
