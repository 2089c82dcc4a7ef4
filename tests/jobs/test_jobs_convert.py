"""One picture from file to file, without a command line."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sdr2hdr import checkpoint
from sdr2hdr.errors import OutputError, UsageError
from sdr2hdr.jobs import convert
from sdr2hdr.settings import Settings


@pytest.mark.parametrize(
    ("source", "target", "named", "path", "name"),
    [
        ("a.jpg", "b.exr", None, "b.exr", "exr"),
        ("a.jpg", "b.TIFF", None, "b.TIFF", "tiff"),
        ("a.jpg", "b.tif", "tiff", "b.tif", "tiff"),
        ("a.jpg", "b.data", "tiff", "b.data", "tiff"),
        ("a.jpg", None, None, None, "exr"),
        (None, None, "TIFF", None, "tiff"),
        ("x/a.b.jpg", "folder", None, "folder/a.b.exr", "exr"),
        ("a.jpg", "folder", "tiff", "folder/a.tif", "tiff"),
    ],
)
def test_where_a_picture_goes_and_as_what(
    source: str | None,
    target: str | None,
    named: str | None,
    path: str | None,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    resolved = convert.resolve(source and Path(source), target and Path(target), named)  # type: ignore[arg-type]
    assert resolved == (path and Path(path), name)


@pytest.mark.parametrize(
    ("target", "named"), [("b", None), ("b.gif", None), ("b.exr", "tiff"), ("b.exr", "gif")]
)
def test_targets_that_make_no_sense(target: str, named: str | None) -> None:
    with pytest.raises(UsageError):
        convert.resolve(Path("a.jpg"), Path(target), named)


def test_jobs_and_settings_travel(tmp_path: Path) -> None:
    job = convert.Job(Path("a.jpg"), None, max_pixels=5)
    settings = Settings(threshold=0.9, weights=tmp_path)
    assert pickle.loads(pickle.dumps((job, settings, convert.convert_file))) == (
        job,
        settings,
        convert.convert_file,
    )
    assert hash(settings) == hash(Settings(threshold=0.9, weights=tmp_path))


def test_nets_are_loaded_once(weights_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(np.full((9, 7, 3), 250, np.uint8)).save(tmp_path / "in.png")
    loaded: list[str] = []
    load = checkpoint.load

    def counted(path: Path, role: str, *rest: object) -> checkpoint.Checkpoint:
        loaded.append(role)
        return load(path, role, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(checkpoint, "load", counted)
    stages: list[str] = []
    for turn in range(2):
        job = convert.Job(tmp_path / "in.png", tmp_path / f"{turn}.exr")
        report = convert.convert_file(job, Settings(weights=weights_folder, precision="fp32"), stages.append)
    assert sorted(loaded) == ["base", "detail", "refine"]
    assert set(stages) <= set(convert.STAGES)
    assert stages[: len(stages) // 2] == [stage for stage in convert.STAGES if stage in stages]
    assert list(report.seconds) == ["read", "load", *(s for s in stages[: len(stages) // 2] if s != "read")]
    assert (tmp_path / "0.exr").read_bytes() == (tmp_path / "1.exr").read_bytes()


def test_a_target_that_cannot_be_is_found_out_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "there.exr").write_text("x")
    for target, message in (("there.exr", "exists already"), ("nowhere/out.exr", "there is no folder")):
        with pytest.raises(OutputError, match=message):
            convert.convert_file(convert.Job(tmp_path / "absent.png", tmp_path / target), Settings())


def test_what_a_killed_process_left_in_the_folder_goes(tmp_path: Path, weights_folder: Path) -> None:
    Image.fromarray(np.zeros((40, 56, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "hdr").mkdir()
    for name in ("a.exr.12-01234567.part", "mine.part"):
        (tmp_path / "hdr" / name).write_bytes(b"half")
    job = convert.Job(tmp_path / "a.png", tmp_path / "hdr" / "a.exr")
    convert.convert_file(job, Settings(weights=weights_folder))
    assert sorted(path.name for path in (tmp_path / "hdr").iterdir()) == ["a.exr", "mine.part"]
