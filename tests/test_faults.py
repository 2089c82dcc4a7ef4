"""The bench of benchmarks/faults.py, shortened: kills and limits, then a run that completes the set."""

import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits as POSIX has them")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, random_weights_folder: Path) -> Iterator[Any]:
    """A `fault_room.Room` that knows what an undisturbed run makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        import fault_room

        made = fault_room.Room(tmp_path_factory.mktemp("room"), 3, random_weights_folder)
        made.undisturbed("exr")
        yield made


def test_shortened(room: Any) -> None:
    import fault_room
    import faults

    target = room.folder / "hdr"
    kills = faults.Kills(room, random.Random(3))
    for _ in range(2):
        kills.kill(target, "exr")
    assert kills.counts["kills"] == 2
    assert kills.found == []

    largest = max(path.stat().st_size for path in fault_room.outputs(room.folder / "undisturbed-exr"))
    limit = fault_room.limiting(resource.RLIMIT_FSIZE, largest // 2)
    done = room.run(target, "exr", limit=limit)
    if done.returncode:  # else a kill came after the largest result
        assert fault_room.one_line(done) == []
        assert "the file is too large for this file system" in done.stderr
    assert room.partial(target, "exr") == []
    assert room.completed(target, "exr") == []


def test_a_target_that_cannot_be_is_refused_in_a_line(room: Any) -> None:
    import fault_room

    done = room.run(room.weights / "SHA256SUMS" / "hdr", "exr")
    assert done.returncode == 1
    assert fault_room.one_line(done) == []
    assert "SHA256SUMS: is not a folder; choose another place" in done.stderr


def test_findings_are_seen(room: Any, tmp_path: Path) -> None:
    """The judge itself: a cut result, one of other bytes, and one that is half-written."""
    import fault_room

    target = tmp_path / "hdr"
    shutil.copytree(room.folder / "undisturbed-exr", target)
    assert room.partial(target, "exr") == []
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
