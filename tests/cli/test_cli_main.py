"""The program as a process: help, statuses, signals."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sdr2hdr
from sdr2hdr import __version__, cli, registry
from sdr2hdr.errors import WeightsError

ROOT = Path(__file__).parents[2]
COMMANDS = registry.names(cli)
PROGRAM = [sys.executable, "-m", "sdr2hdr"]
HEAVY = {"torch", "colour", "cv2", "numpy", "scipy", "tifffile", "OpenEXR"}


def environment(**changed: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(Path(sdr2hdr.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
        **changed,
    }


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)], ids=["sdr2hdr", *COMMANDS])
def test_help_comes_at_once_and_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        f"import sys; from sdr2hdr import cli; status = cli._run({[*words, '--help']!r});"
        f"heavy = {HEAVY!r} & set(sys.modules); sys.exit(f'imported {{heavy}}' if heavy else status)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert result.returncode == 0, result.stderr
    assert "Usage: sdr2hdr" in result.stdout
    # of the processor: the clock depends on what else runs here
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_is_in_the_readme(name: str) -> None:
    command = registry.get(cli, name).command
    assert command.help
    assert f"sdr2hdr {name}" in (ROOT / "README.md").read_text("utf-8")
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert parameter.help, parameter.name


def test_every_option_of_convert_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for parameter in registry.get(cli, "convert").command.params:
        if parameter.param_type_name == "option":
            assert f"`{parameter.opts[-1]}" in text or f"`{parameter.opts[0]}" in text, parameter.name


def test_version_and_nothing() -> None:
    result = subprocess.run(
        [*PROGRAM, "--version"], capture_output=True, text=True, env=environment(), check=True
    )
    assert result.stdout == f"sdr2hdr {__version__}\n"
    result = subprocess.run(PROGRAM, capture_output=True, text=True, env=environment(), check=True)
    assert "Commands:" in result.stdout


def test_errors_have_their_status_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    no_room = ImportError("libtorch_cpu.so: failed to map segment from shared object")
    for error, status in (
        (WeightsError("a\nb"), 3),
        (ImportError("no cv2"), 3),
        (no_room, 1),
        (MemoryError(), 1),
    ):

        def fail(*_: object, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(cli.root, "invoke", fail)
        assert cli._run(["info"]) == status
        err = capsys.readouterr().err
        assert err.startswith("sdr2hdr: error: ")
        assert err.count("\n") == 1


def test_unknown_commands() -> None:
    result = subprocess.run(
        [*PROGRAM, "conver"], capture_output=True, text=True, env=environment(), check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith("sdr2hdr: error: No such command 'conver'.")


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_death_by_signal_stays_so_and_leaves_nothing(
    number: int, weights_folder: Path, tmp_path: Path
) -> None:
    """The picture never ends, so the program waits for it when the signal comes."""
    with subprocess.Popen(
        [*PROGRAM, "convert", "-", str(tmp_path / "out.exr")],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(SDR2HDR_WEIGHTS=str(weights_folder)),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(
            (ROOT / "docs" / "sample.jpg").read_bytes()[:90_000]
        )  # more than a pipe holds: it reads
        process.stdin.flush()
        time.sleep(0.2)
        process.send_signal(number)
        assert process.wait(60) == -number
        assert process.stderr.read() == b""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_closed_pipe_is_quiet(weights_folder: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "convert", "--strength", "0", str(ROOT / "docs" / "sample.jpg"), "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(SDR2HDR_WEIGHTS=str(weights_folder)),
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(4) == b"\x76\x2f\x31\x01"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == -signal.SIGPIPE
