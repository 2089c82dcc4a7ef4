"""What a killed process has left half-written goes with the next run; what another one still writes stays."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sdr2hdr.formats import _atomic

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL and flock")

# Writes a file and stops for ever before it gets its final name.
WRITER = """
import os, sys, time
from pathlib import Path
from sdr2hdr.formats import _atomic
def link(*_):
    print(flush=True)
    time.sleep(600)
os.link = link
_atomic.write_atomic(Path(sys.argv[1]), b"data", overwrite=False)
"""


def test_parts_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "a.exr")],
        stdout=subprocess.PIPE,
        cwd=Path(_atomic.__file__).parents[2],
    ) as writer:
        try:
            assert writer.stdout
            writer.stdout.readline()
            (part,) = tmp_path.iterdir()
            assert part.name.startswith("a.exr.")
            _atomic.sweep(tmp_path)
            assert part.exists(), "its writer lives"
        finally:
            writer.kill()
        assert writer.wait() == -signal.SIGKILL
    _atomic.sweep(tmp_path)
    assert not part.exists()


def test_only_parts_of_ours_go(tmp_path: Path) -> None:
    others = ["a.part", "a.exr.part", "a.exr.12-0123456.part", "a.exr.12-01234567.part.exr", "a.exr"]
    for name in [*others, "a.exr.12-01234567.part"]:
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.12-01234567.part").mkdir()
    _atomic.sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, "folder.12-01234567.part"])


def test_a_folder_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    _atomic.sweep(tmp_path / "absent")
