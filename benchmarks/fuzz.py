"""What the readers make of damaged files: python benchmarks/fuzz.py [--inputs 20000] [--seed 1]

Every input must be a picture or one `InputError` of one line, within 10 s and 1 GB, and write nothing to standard
error. Anything else is a finding, and its input is saved. A process of its own reads them, so that a crash is one
more finding and not the end; it is killed when it takes too long. Sizes that headers state are honest up to the limit
of pixels, so that limit is 16 million here: a picture that is really there takes 16 bytes a pixel and more.
"""

import argparse
import io
import json
import logging
import os
import random
import resource
import select
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

SECONDS, BYTES, PIXELS = 10.0, 1_000_000_000, 16_000_000


def worker() -> None:
    """Read inputs from standard input, length first, and answer each with a line of JSON."""
    import numpy as np

    from sdr2hdr import formats
    from sdr2hdr.errors import InputError

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is noise, wherever it goes
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("always")
    for (
        module
    ) in formats.readers().values():  # libraries that are loaded late are no part of an input's memory
        del module
    base = _memory("VmSize")
    resource.setrlimit(resource.RLIMIT_AS, (base + 3 * BYTES, base + 3 * BYTES))
    while head := sys.stdin.buffer.read(8):
        data = sys.stdin.buffer.read(int.from_bytes(head, "big"))
        before = _forget_peak()
        begun = time.monotonic()
        try:
            image = formats.read(io.BytesIO(data), max_pixels=PIXELS, name="mutant")
            signal = image.signal
            right = signal.ndim == 3 and signal.shape[0] == 3 and signal.shape[1:] == image.size
            right = right and signal.dtype == np.float32 and bool(np.isfinite(signal).all())
            right = right and bool(signal.min() >= 0 and signal.max() <= 1)
            answer = ("picture", "") if right else ("wrong", "not finite, not in 0..1, or of another size")
            del image, signal
        except InputError as error:
            words = str(error)
            plain = words.startswith("mutant: ") and words.isprintable() and len(words) < 300
            answer = ("one-line error", words) if plain else ("wrong", f"not one plain line: {words!r}")
        except BaseException as error:
            answer = ("crash", f"{type(error).__name__}: {error}")
        told = {"what": answer[0], "words": answer[1], "seconds": time.monotonic() - begun}
        print(json.dumps(told | {"bytes": _memory("VmHWM") - before}), file=answers, flush=True)


def _memory(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


def _forget_peak() -> int:
    """Set the peak of resident memory back to what is resident now; that."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


class Reader:
    """The process that reads; another takes its place when it has died."""

    def __init__(self) -> None:
        self.noise = tempfile.TemporaryFile()  # noqa: SIM115 (as long as this object)
        self.process: subprocess.Popen[bytes] | None = None
        self.read_noise = 0

    def ask(self, data: bytes) -> dict[str, Any]:
        """What becomes of an input."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, __file__, "--worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.noise,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            )
            self.ask(b"\x89PNG\r\n\x1a\n")  # loads the libraries
        process = self.process
        assert process.stdin
        assert process.stdout
        begun = time.monotonic()
        process.stdin.write(len(data).to_bytes(8, "big") + data)
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], 2 * SECONDS + 60)
        line = process.stdout.readline() if ready else b""
        if not line:
            self.close()
            what = "crash" if ready else "slow"
            told = {"what": what, "words": f"the process ended with {process.returncode}"}
            return told | {"seconds": time.monotonic() - begun, "bytes": 0}
        answer: dict[str, Any] = json.loads(line)
        if noise := self._noise():
            answer |= {"what": "noise", "words": f"on standard error: {noise[-300:]}"}
        return answer

    def _noise(self) -> str:
        size = os.fstat(self.noise.fileno()).st_size
        new = os.pread(self.noise.fileno(), size - self.read_noise, self.read_noise)
        self.read_noise = size
        return new.decode(errors="replace")

    def close(self) -> None:
        """End the process, if there is one."""
        if self.process:
            self.process.kill()
            self.process.communicate()
        self.process = None


def fuzz(inputs: int, seed: int, save: Path) -> int:
    """Print the counts by format; how many findings there are."""
    import mutants

    rng, reader = random.Random(seed), Reader()
    counts: dict[str, Counter[str]] = {name: Counter() for name in mutants.SEEDS}
    findings, longest, largest = 0, 0.0, 0
    for i in range(inputs):
        name = rng.choice(list(counts))
        data = mutants.mutant(name, rng)
        told = reader.ask(data)
        seconds, size = told["seconds"], told["bytes"]
        longest, largest = max(longest, seconds), max(largest, size)
        kinds = (
            [told["what"]] if told["what"] in ("picture", "one-line error", "crash", "noise", "wrong") else []
        )
        kinds += ["slow"] * (seconds > SECONDS) + ["large"] * (size > BYTES)
        counts[name].update(kinds)
        if set(kinds) - {"picture", "one-line error"}:
            findings += 1
            save.mkdir(parents=True, exist_ok=True)
            path = save / f"{name.lower()}-{seed}-{i}.bin"
            path.write_bytes(data)
            print(
                f"{path}: {', '.join(kinds)}, {seconds:.1f} s, {size / 1e6:.0f} MB: {told['words'][:200]}",
                flush=True,
            )
    reader.close()
    columns = ["picture", "one-line error", "slow", "large", "noise", "wrong", "crash"]
    print("        " + "".join(f"{column:>16}" for column in columns))
    for name, count in counts.items():
        print(f"{name:8}" + "".join(f"{count[column]:16d}" for column in columns))
    print(f"{inputs} inputs, {findings} findings; at most {longest:.2f} s and {largest / 1e6:.0f} MB")
    return findings


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--save", type=Path, default=Path("fuzz-findings"), help="folder of inputs that are findings"
    )
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker()
    else:
        sys.exit(int(fuzz(options.inputs, options.seed, options.save) > 0))
