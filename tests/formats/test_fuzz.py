"""The fuzzer of benchmarks/fuzz.py, shortened, and what it has found."""

import io
import random
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from sdr2hdr import formats
from sdr2hdr.errors import InputError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
CASES = sorted((Path(__file__).parent / "fuzz_cases").glob("*.bin"))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")


def fuzz(inputs: int, seed: int, save: Path) -> str:
    """What it prints; it ends with status 0 if there are no findings."""
    command = [sys.executable, "-W", "ignore", str(BENCHMARKS / "fuzz.py"), "--inputs", str(inputs)]
    done = subprocess.run(
        [*command, "--seed", str(seed), "--save", str(save)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_shortened(tmp_path: Path) -> None:
    told = fuzz(400, 7, tmp_path)
    rows = {line.split()[0]: [int(n) for n in line.split()[1:]] for line in told.splitlines()[1:-1]}
    assert set(rows) >= {"PNG", "JPEG", "TIFF", "WebP", "BMP", "AVIF", "JXL"}
    assert sum(map(sum, rows.values())) == 400
    for name, (pictures, errors, *findings) in rows.items():
        assert not any(findings), name
        assert pictures >= 3, f"{name}: the damage gets no further than the first check"
        assert errors >= 3, f"{name}: hardly any damage"
    assert re.search(r"^400 inputs, 0 findings; at most \S+ s and \d+ MB$", told.splitlines()[-1])
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_as_long_as_it_takes(tmp_path: Path) -> None:
    assert "20000 inputs, 0 findings" in fuzz(20_000, 1, tmp_path)


def test_mutants_are_the_same_for_the_same_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import mutants

    first, second = ([mutants.mutant("PNG", random.Random(seed)) for seed in range(8)] for _ in range(2))
    assert first == second
    assert len(set(first)) == 8


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_findings(path: Path) -> None:
    """A picture, or an error of one line, and nothing on standard error."""
    try:
        with warnings.catch_warnings(
            record=True
        ) as told:  # as errors they would be caught, and look like damage
            warnings.simplefilter("always")
            image = formats.read(io.BytesIO(path.read_bytes()), max_pixels=16_000_000, name="case")
    except InputError as error:
        words = str(error)
    else:
        assert image.signal.shape == (3, *image.size)
        words = "case: a picture"
    assert words.startswith("case: ")
    assert words.isprintable()
    assert not told
