"""What is installed is all that is needed: the wheel, built from a copy of the tree."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, opened."""
    tree = tmp_path_factory.mktemp("tree") / "sdr2hdr"
    skip = shutil.ignore_patterns(
        ".git", "build", "runs", "*.egg-info", "__pycache__", ".*cache", ".hypothesis", ".venv"
    )
    shutil.copytree(ROOT, tree, ignore=skip)
    target = tree.parent / "wheel"
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--quiet",
        "--wheel-dir",
        str(target),
        str(tree),
    ]
    subprocess.run(command, check=True)
    (path,) = target.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_table(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    wanted = {str(path.relative_to(ROOT)) for path in (ROOT / "sdr2hdr").rglob("*.py")}
    wanted |= {"sdr2hdr/py.typed", "sdr2hdr/color/tables.npz"}
    for kind in ("html", "css", "js"):
        pages = {str(path.relative_to(ROOT)) for path in (ROOT / "sdr2hdr" / "report").glob(f"*.{kind}")}
        assert pages
        wanted |= pages
    assert wanted <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/"))]


@pytest.mark.slow
def test_the_wheel_holds_the_weights(wheel: zipfile.ZipFile) -> None:
    for path in (ROOT / "weights").iterdir():
        if path.name != "__pycache__":
            assert wheel.read(f"sdr2hdr/weights/{path.name}") == path.read_bytes(), path.name
    names = wheel.namelist()
    for role in ("base", "detail", "refine"):
        assert f"sdr2hdr/weights/scene-{role}.pt" in names
    assert "sdr2hdr/weights/SHA256SUMS" in names


@pytest.mark.slow
def test_the_wheel_has_the_command_and_the_licence(wheel: zipfile.ZipFile) -> None:
    (entry,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert b"sdr2hdr = sdr2hdr.cli:main" in wheel.read(entry)
    assert [name for name in wheel.namelist() if name.endswith("/LICENSE")]


@pytest.mark.slow
def test_shipped_weights_are_whole_and_say_how_they_were_made() -> None:
    from sdr2hdr import checkpoint, checksums

    folder = ROOT / "weights"
    assert sorted(checksums.verify(folder)) == sorted(path.name for path in folder.glob("*.pt"))
    for role, path in checkpoint.find("scene", folder).items():
        loaded = checkpoint.load(path, role)
        assert loaded.metadata["training"]
        assert loaded.metadata["validation"]
        checkpoint.rebuild(path)
