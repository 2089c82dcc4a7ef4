"""Checkpoints: what is refused and in which order, what survives saving and loading."""

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from sdr2hdr import _archive, checkpoint, checksums, networks
from sdr2hdr.errors import WeightsError

ROLES = checkpoint.ROLES


def inputs(count: int, height: int = 37, width: int = 45) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.rand(2, 3, height, width, generator=generator) for _ in range(count)]


def arguments_of(role: str) -> list[torch.Tensor]:
    tensors = inputs(2 if role == "detail" else 3)
    tensors[-1] = (4 * tensors[-1] - 3).clamp(min=0)  # the mask: mostly 0
    return tensors


def first(result: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    return result[0] if isinstance(result, tuple) else result


@pytest.mark.parametrize("role", ROLES)
def test_a_loaded_net_equals_the_eager_net_rebuilt_from_its_metadata(
    role: str, random_weights_folder: Path
) -> None:
    path = random_weights_folder / f"scene-{role}.pt"
    loaded, eager = checkpoint.load(path, role), checkpoint.rebuild(path)
    assert type(eager) is networks.ROLES[role]
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.metadata["role"] == role
    tensors = arguments_of(role)
    with torch.no_grad():
        torch.testing.assert_close(first(loaded.net(*tensors)), first(eager(*tensors)), atol=1e-6, rtol=0)


def test_exported_methods_survive_freezing(random_weights_folder: Path) -> None:
    path = random_weights_folder / "scene-base.pt"
    loaded, eager = checkpoint.load(path, "base"), checkpoint.rebuild(path)
    base, signal, mask = arguments_of("base")
    with torch.no_grad():
        knots, levels = eager.coarse(signal, mask)
        frozen_knots, frozen_levels = loaded.net.coarse(signal, mask)
        assert knots.abs().max() > 0
        torch.testing.assert_close(frozen_knots, knots, atol=1e-6, rtol=0)
        torch.testing.assert_close(frozen_levels, levels, atol=1e-6, rtol=0)
        torch.testing.assert_close(
            loaded.net.mapped(base, knots), eager.mapped(base, knots), atol=1e-6, rtol=0
        )


@pytest.mark.parametrize("role", ROLES)
def test_bf16_changes_only_the_bodies_and_little(role: str, random_weights_folder: Path) -> None:
    path = random_weights_folder / f"scene-{role}.pt"
    exact, fast = checkpoint.load(path, role), checkpoint.load(path, role, precision="bf16")
    tensors = arguments_of(role)
    with torch.no_grad():
        a, b = first(exact.net(*tensors)), first(fast.net(*tensors))
    assert b.dtype == torch.float32
    assert not torch.equal(a, b)
    assert (a - b).abs().max() < 0.02


@pytest.mark.parametrize("role", ROLES)
def test_tensors_are_read_without_torchscript(role: str, random_weights_folder: Path) -> None:
    """The archive's own reader against PyTorch's."""
    path = random_weights_folder / f"scene-{role}.pt"
    expected = torch.jit.load(path).state_dict()
    found = _archive.tensors(path.read_bytes(), list(expected))
    assert len(expected) > 4
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor)


def test_the_archive_reader_refuses_to_import(random_weights_folder: Path, tmp_path: Path) -> None:
    source, target = random_weights_folder / "scene-refine.pt", tmp_path / "scene-refine.pt"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = b"cos\nsystem\n(S'touch owned'\ntR." if name.endswith("/data.pkl") else old.read(name)
            new.writestr(name, data)
    with pytest.raises(WeightsError, match=r"os\.system|posix\.system"):
        checkpoint.rebuild(target)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "gone", "unlisted", "no list"])
def test_damaged_weights_are_refused_before_they_are_loaded(
    damage: str, weights_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in weights_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path, sums = tmp_path / "scene-refine.pt", tmp_path / "SHA256SUMS"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "flip":
        path.write_bytes(data)
    elif damage in ("cut", "empty"):
        path.write_bytes(data[: 0 if damage == "empty" else -100])
    elif damage == "gone":
        path.unlink()
    elif damage == "unlisted":
        sums.write_text("".join(line for line in sums.read_text().splitlines(True) if "refine" not in line))
    else:
        sums.write_text("nonsense\n")
    monkeypatch.setattr(torch.jit, "load", lambda *a, **k: pytest.fail("loaded before it was checked"))
    with pytest.raises(WeightsError, match="--weights") as caught:
        checkpoint.load(path, "refine")
    assert caught.value.status == 3
    assert str(path.parent) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_verify_names_the_altered_file(weights_folder: Path, tmp_path: Path) -> None:
    for file in weights_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    found = checksums.verify(tmp_path)
    assert sorted(found) == sorted(f"scene-{role}.pt" for role in ROLES)
    listed = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False)
    assert listed.returncode == 0  # the tool that people have agrees
    with (tmp_path / "scene-detail.pt").open("ab") as file:
        file.write(b"x")
    with pytest.raises(WeightsError, match=r"scene-detail\.pt"):
        checksums.verify(tmp_path)


def test_a_wrong_role_is_refused(weights_folder: Path) -> None:
    with pytest.raises(WeightsError, match="this is the refine net, not the base net"):
        checkpoint.load(weights_folder / "scene-refine.pt", "base")


def test_other_files_are_no_nets(tmp_path: Path) -> None:
    path = tmp_path / "scene-base.pt"
    path.write_bytes(b"not a zip")
    with pytest.raises(WeightsError, match="not a net of sdr2hdr"):
        checkpoint.describe(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/extra/metadata.json", json.dumps({"format": 99, "role": "base"}))
    with pytest.raises(WeightsError, match="format 99"):
        checkpoint.describe(path)
    with pytest.raises(WeightsError, match="missing"):
        checkpoint.describe(tmp_path / "nothing.pt")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "archive/extra/metadata.json", json.dumps({"format": 2, "role": "base", "arguments": {}})
        )
    with pytest.raises(WeightsError, match="cannot load it"):
        checkpoint.load(path, "base")


def test_metadata_that_does_not_fit_the_tensors(weights_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "scene-refine.pt"
    metadata = checkpoint.describe(weights_folder / "scene-refine.pt") | {"arguments": {"no_such": 1}}
    checkpoint.save(path, checkpoint.rebuild(weights_folder / "scene-refine.pt"), metadata)
    with pytest.raises(WeightsError, match="do not fit"):
        checkpoint.rebuild(path)


def test_search_order(weights_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SDR2HDR_WEIGHTS", raising=False)
    monkeypatch.setattr(checkpoint, "shipped", lambda: tmp_path)
    with pytest.raises(WeightsError, match=r"weights missing: scene-base\.pt"):
        checkpoint.find("scene")
    monkeypatch.setenv("SDR2HDR_WEIGHTS", str(weights_folder))
    assert checkpoint.find("scene")["detail"] == weights_folder / "scene-detail.pt"
    with pytest.raises(WeightsError, match="no such folder"):
        checkpoint.find("scene", tmp_path / "elsewhere")
    with pytest.raises(WeightsError, match="looks there: scene"):
        checkpoint.find("display")


def test_only_a_named_folder_may_do_without_checksums(
    weights_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for file in weights_folder.glob("*.pt"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    paths = checkpoint.find("scene", tmp_path)
    assert "unchecked" in caplog.text
    checkpoint.load(paths["refine"], "refine")
    monkeypatch.setenv("SDR2HDR_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match="cannot be checked"):
        checkpoint.find("scene")


SAVE = """
import sys, torch
from pathlib import Path
from sdr2hdr import checkpoint
net = checkpoint.rebuild(Path(sys.argv[1]))
checkpoint.save(Path(sys.argv[2]), net, checkpoint.describe(Path(sys.argv[1])))
"""


def test_archives_are_reproducible_and_hold_no_paths(weights_folder: Path, tmp_path: Path) -> None:
    """Whatever the hash seed and the name of the file."""
    files = [tmp_path / "first.pt", tmp_path / "second.pt"]
    for seed, file in enumerate(files):
        command = [sys.executable, "-c", SAVE, str(weights_folder / "scene-refine.pt"), str(file)]
        subprocess.run(
            command, check=True, env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": ":".join(sys.path)}
        )
    assert files[0].read_bytes() == files[1].read_bytes()
    with zipfile.ZipFile(files[0]) as archive:
        for name in archive.namelist():
            assert str(Path(checkpoint.__file__).parent).encode() not in archive.read(name)
    assert not list(tmp_path.glob("*.part"))


def test_describe_needs_no_torch(weights_folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from sdr2hdr import checkpoint as c, checksums;"
        "p = Path(sys.argv[1]); assert c.describe(p / 'scene-base.pt')['role'] == 'base'; checksums.verify(p);"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(weights_folder)], check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
