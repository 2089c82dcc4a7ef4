"""What the pages say is so: their commands run, their lists are complete."""

import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click import unstyle
from pictures import noise

import sdr2hdr
from sdr2hdr import cli, formats
from sdr2hdr.image import HdrImage

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[Any]:
    """The blocks of a language in all pages, with a name for each."""
    found = []
    for page in PAGES:
        for number, match in enumerate(BLOCK.finditer(page.read_text("utf-8"))):
            if match[1] == language:
                found.append(pytest.param(match[2], id=f"{page.name}-{number}"))
    return found


def runnable(script: str) -> str:
    """A block without what installs; trainings and the developers' checks have tests of their own."""
    script = re.sub(r"^pip install [^&]*(&& )?(pytest$)?", "", script, flags=re.MULTILINE)
    return "" if "sdr2hdr train" in script else script


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, random_weights_folder: Path) -> Path:
    """A folder with the pictures that the pages speak of, all of them small."""
    for name in ("docs/sample.jpg", "photo.jpg", "photos/a.jpg", "photos/b.png", "photos/sub/c.jpg"):
        noise(tmp_path / name)
    rng = np.random.default_rng(0)
    light = (rng.random((64, 128, 3)) ** 8 * 30).astype(np.float32)
    for folder in ("panoramas", "graded"):
        (tmp_path / folder).mkdir()
    assert cv2.imwrite(str(tmp_path / "panoramas" / "p.hdr"), light)
    sdr2hdr.write(tmp_path / "graded" / "g.exr", HdrImage(np.ascontiguousarray(light.transpose(2, 0, 1))))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SDR2HDR_WEIGHTS", str(random_weights_folder))
    return tmp_path


@pytest.mark.parametrize("script", [block for block in blocks("sh") if runnable(block.values[0]).strip()])
def test_commands_run(script: str, workplace: Path, bash: Callable[[str], tuple[int, str, str]]) -> None:
    if "simulate" in script:
        (workplace / "photo.exr").write_bytes((workplace / "graded" / "g.exr").read_bytes())
    before = len(list(workplace.rglob("*")))
    status, out, err = bash(f"set -e\n{runnable(script)}")
    assert status == 0, err
    assert "error" not in err
    assert out or len(list(workplace.rglob("*"))) > before or "eval" in script, "it does something"


def test_no_command_is_left_out_unawares() -> None:
    left = [block.id for block in blocks("sh") if not runnable(block.values[0]).strip()]
    assert left == ["README.md-1", "training.md-1"], "developers' tests, training"
    assert len(blocks("sh")) > 8


@pytest.mark.parametrize("code", blocks("python"))
def test_python_runs(code: str, workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if "lines.jsonl" in code:
        assert cli._run(["convert", "photos", "json", "--json"]) == 0
        (workplace / "lines.jsonl").write_text(capsys.readouterr().out)
    exec(compile(code, "page", "exec"), {})
    if "lines.jsonl" in code:
        assert re.fullmatch(
            r"json/a\.exr [\d.]+\njson/b\.exr [\d.]+\n",
            "".join(sorted(capsys.readouterr().out.splitlines(True))),
        )
    else:
        assert (workplace / "sample.exr").exists()


def test_keys_of_the_json_lines(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The example has the keys of the program, and the table explains all of them."""
    assert cli._run(["convert", "photos", "json", "--json"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (example,) = blocks("json")
    shown = [json.loads(line) for line in example.values[0].splitlines()]
    assert list(shown[0]) == list(said[0])
    assert list(shown[1]["summary"]) == list(said[-1]["summary"])
    table = set(
        re.findall(r"`(\w+)`", (ROOT / "docs" / "pipelines.md").read_text("utf-8").partition("| key |")[2])
    )
    assert set(said[0]) | {"not_done", "passed_over", "ended"} <= table


def maker(name: str) -> Any:
    """A module of docs/ that makes a page."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_index_has_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    for page in PAGES:
        assert page.name == "README.md" or f"]({page.name})" in index, page.name
    for page in PAGES:
        for link in re.findall(r"\]\(([\w./-]+)\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_table_of_formats_is_what_they_say() -> None:
    module = maker("make_formats")
    page = module.PATH.read_text("utf-8")
    assert page == module.page(page), "stale: run python docs/make_formats.py"
    for name in formats.writers():
        assert f"| `{name}` |" in page
        assert f"\n### {name}\n" in page, "every format has its paragraph"


def test_the_reference_is_what_help_says() -> None:
    module = maker("make_cli")
    page = module.PATH.read_text("utf-8")
    # lines may break elsewhere in another version of Click
    assert page.split() == unstyle(module.reference()).split(), "stale: run python docs/make_cli.py"
