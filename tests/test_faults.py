"""The bench of benchmarks/faults.py, shortened: kills and limits, then a run that completes the set."""

import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits as POSIX has them")


def test_shortened(tmp_path: Path, random_weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import fault_room
    import faults

    room = fault_room.Room(tmp_path, 3, random_weights_folder)
    room.undisturbed("exr")
    target = tmp_path / "hdr"
    kills = faults.Kills(room, random.Random(3))
    for _ in range(2):
        kills.kill(target, "exr")
    assert kills.counts["kills"] == 2
    assert kills.found == []

    largest = max(path.stat().st_size for path in fault_room.outputs(tmp_path / "undisturbed-exr"))
    limit = fault_room.limiting(resource.RLIMIT_FSIZE, largest // 2)
    done = room.run(target, "exr", limit=limit)
    if done.returncode:  # else a kill came after the largest result
        assert fault_room.one_line(done) == []
        assert "the file is too large for this file system" in done.stderr
    assert room.partial(target, "exr") == []
    assert room.completed(target, "exr") == []


def test_findings_are_seen(
    tmp_path: Path, random_weights_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge itself: a cut result, one of other bytes, and one that is half-written."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import fault_room

    room = fault_room.Room(tmp_path, 3, random_weights_folder)
    target = tmp_path / "hdr"
    done = room.run(target, "exr", "--fail-fast")
    assert done.returncode == 0, done.stderr
    room.expected["exr"] = fault_room.digests(target)
    (target / "a.exr").write_bytes((target / "a.exr").read_bytes()[:-500])
    (target / "b.exr").write_bytes((target / "sub" / "d.exr").read_bytes())
    first, second = room.partial(target, "exr")
    assert first.startswith("a.exr: partial (")
    assert second == "b.exr: differs from the undisturbed run"
    (target / "c.exr.1-00000000.part").write_bytes(b"")
    assert [path.name for path in fault_room.parts(target)] == ["c.exr.1-00000000.part"]


@pytest.mark.slow
@pytest.mark.parametrize("words", ["--kills 200 --only kills", "--kills 0"])
def test_as_long_as_it_takes(words: str, random_weights_folder: Path) -> None:
    command = [sys.executable, "-W", "ignore", str(BENCHMARKS / "faults.py"), *words.split()]
    command += ["--weights", str(random_weights_folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("\n0 findings\n")
