"""The program among others: real processes in a real shell, pipes, signals, terminals."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdr2hdr import formats

pytestmark = pytest.mark.skipif(os.name != "posix", reason="shells and signals as POSIX has them")
Bash = Callable[[str], tuple[int, str, str]]


def test_from_a_pipe_into_a_pipe(photos: Path, bash: Bash) -> None:
    assert bash(
        'cat photos/a.jpg | sdr2hdr convert - - --format tiff | head -c 4; echo " ${PIPESTATUS[@]}"'
    ) == (
        0,
        "II*\0 0 0 0\n",
        "",
    )


def test_xargs(photos: Path, bash: Bash) -> None:
    (photos / "with space\nand line.jpg").write_bytes((photos / "a.jpg").read_bytes())
    (photos / "sub" / "-y.png").write_bytes((photos / "b.png").read_bytes())
    command = "cd photos && find . -name '*.[jp][pn]g' -print0 | xargs -0 sdr2hdr convert -t ../hdr/"
    status, out, err = bash(command)
    assert (status, out) == (0, "")
    names = sorted(path.name for path in (photos.parent / "hdr").iterdir())
    assert names == ["-y.exr", "a.exr", "b.exr", "d.exr", "with space\nand line.exr"]
    assert "passed over, no pictures by their names: ._a.jpg\n" in err
    assert err.count("\n") == 2
    assert bash(command)[2].endswith(" 5 skipped (finished already)\n")


def test_status_and_streams_of_a_batch(photos: Path, bash: Bash) -> None:
    (photos / "b.png").write_bytes(b"")
    status, out, err = bash("sdr2hdr convert photos hdr --json | tee lines; exit ${PIPESTATUS[0]}")
    assert status == 1
    assert out == (photos.parent / "lines").read_text()
    assert [json.loads(line).get("status") for line in out.splitlines()].count("failed") == 1
    assert "sdr2hdr: failed: photos/b.png: is empty" in err


def test_a_reader_that_has_enough(photos: Path, bash: Bash) -> None:
    assert bash(
        "sdr2hdr convert -r photos hdr --json -q | head -n 1 | cut -c 1-10; echo ${PIPESTATUS[@]}"
    ) == (
        0,
        '{"source":\n141 0 0\n',  # 128 + SIGPIPE
        "",
    )
    assert not list((photos.parent / "hdr").rglob("*.part"))


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("photos/a.jpg - > /dev/full", 1, "standard output: cannot be written: No space left on device"),
        ("photos hdr --dry-run -q > /dev/full", 1, "standard output: No space left on device"),
        ("photos/a.jpg - >&-", 2, "standard output is closed"),
        ("- a.exr <&-", 2, "standard input is closed"),
    ],
)
def test_streams_that_are_full_or_closed(
    words: str, status: int, message: str, photos: Path, bash: Bash
) -> None:
    if "/dev/full" in words and not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    result, out, err = bash(f"sdr2hdr convert {words}")
    assert (result, out) == (status, "")
    assert re.fullmatch(rf"sdr2hdr: error: {message}.*\n", err)


def terminal() -> tuple[int, int]:
    """Ours and the program's end of a terminal of 100 columns."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    return ours, theirs


def test_no_binary_to_a_terminal(photos: Path, shell: Any) -> None:
    ours, theirs = terminal()
    with shell("sdr2hdr convert photos/a.jpg -", stdout=theirs) as process:
        _, err = process.communicate(timeout=120)
    os.close(theirs)
    assert process.returncode == 2
    assert "standard output is a terminal; redirect it or name a file" in err
    os.close(ours)


def test_a_bar_on_a_terminal(photos: Path, shell: Any) -> None:
    (photos / "b.png").write_bytes(b"")
    ours, theirs = terminal()
    with shell("sdr2hdr convert photos hdr", stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        try:
            while block := os.read(ours, 4096):
                shown += block
        except OSError:  # the other end is closed
            pass
        assert process.wait(120) == 1
    os.close(ours)
    text = shown.decode()
    assert "0/3 pictures |" in text
    assert re.search(r"3/3 pictures \|█{20}\| 00:\d\d, 00:00 left, 1 failed", text)
    assert re.search(r"\r +\rsdr2hdr: failed: photos/b\.png: is empty", text), "where the bar was"


def many(photos: Path, count: int) -> None:
    data = (photos / "b.png").read_bytes()
    for i in range(count):
        (photos / f"x{i:03}.png").write_bytes(data)


def wait_for(what: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 120
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_batch_dies_of_it_and_goes_on_later(
    number: signal.Signals, photos: Path, shell: Any, bash: Bash
) -> None:
    """The signal goes to the whole group, as a terminal sends it; the shell sees how its child died, and follows."""
    many(photos, 300)
    hdr = photos.parent / "hdr"
    before = set(photos.rglob("*"))
    with shell("sdr2hdr convert photos hdr --json; echo still here") as process:
        wait_for(lambda: hdr.is_dir() and len(list(hdr.glob("*.exr"))) > 3, process)
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=120)
    assert process.returncode == -number
    assert "still here" not in out
    last = err.splitlines()[-1]
    summary = re.fullmatch(
        r"sdr2hdr: interrupted, the same command goes on from here; 303 pictures in \S+ s: (\d+) done, (\d+) not done",
        last,
    )
    assert summary, err
    told = json.loads(out.splitlines()[-1])["summary"]
    assert [told["done"], told["not_done"]] == [int(summary[1]), int(summary[2])]
    assert sum(map(int, summary.groups())) == 303
    files = sorted(hdr.iterdir())
    assert [file.name for file in files if file.suffix != ".exr"] == []
    assert 3 < len(files) < 303
    assert all(formats.recorded(file, "exr") for file in files)
    assert set(photos.rglob("*")) == before
    for path in photos.glob("x*"):
        if not (hdr / f"{path.stem}.exr").exists():
            path.unlink()
    status, _, err = bash("sdr2hdr convert photos hdr")
    assert status == 0
    assert f"{len(files)} skipped" in err


def test_nohup_is_respected(photos: Path, shell: Any) -> None:
    many(photos, 40)
    hdr = photos.parent / "hdr"
    with shell("trap '' HUP; exec sdr2hdr convert photos hdr") as process:
        wait_for(lambda: hdr.is_dir() and bool(list(hdr.glob("*.exr"))), process)
        os.killpg(process.pid, signal.SIGHUP)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0
    assert err.endswith(" 43 done\n")
