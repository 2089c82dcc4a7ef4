"""sdr2hdr info."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from sdr2hdr import __version__, cli

WRITTEN = ["avif", "exr", "heic", "jxl", "png", "radiance", "tiff", "uhdr"]


def test_it_tells_versions_devices_and_weights(
    weights_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli._run(["info", "--weights", str(weights_folder), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["version"] == __version__
    assert facts["libraries"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert facts["devices"][0]["name"].startswith("cpu")
    assert {"png", "jpeg", "tiff"} <= set(facts["formats"]["read"])
    assert facts["formats"]["written"] == WRITTEN
    files = {file["file"]: file for file in facts["weights"]["files"]}
    assert sorted(files) == ["scene-base.pt", "scene-detail.pt", "scene-refine.pt"]
    for name, file in files.items():
        data = (weights_folder / name).read_bytes()
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
        assert file["bytes"] == len(data)
        assert file["role"] in name

    assert cli._run(["info", "--weights", str(weights_folder)]) == 0
    text = capsys.readouterr().out
    assert f"sdr2hdr {__version__}" in text
    assert files["scene-base.pt"]["sha256"] in text


def test_figures_are_shown(random_weights_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli._run(["info", "--weights", str(random_weights_folder)]) == 0
    assert "protocol: pq 31.25, clip 26" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["empty", "altered"])
def test_unusable_weights_are_status_3_and_the_rest_is_told(
    damage: str, weights_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if damage == "altered":
        for file in weights_folder.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        (tmp_path / "scene-base.pt").write_bytes(b"PK")
    assert cli._run(["info", "--weights", str(tmp_path)]) == 3
    out, err = capsys.readouterr()
    assert "device     cpu" in out
    assert err.startswith(f"sdr2hdr: error: {tmp_path}")
    assert err.count("\n") == 1
