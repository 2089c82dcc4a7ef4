"""Names of formats and of what lies beside them."""

from pathlib import Path

import pytest

from sdr2hdr.errors import UsageError
from sdr2hdr.jobs import naming, plan
from sdr2hdr.jobs.job import Job, Output
from sdr2hdr.jobs.plan import Further, Source


def test_lists_of_formats() -> None:
    assert naming.named(None) == []
    assert naming.named("exr") == ["exr"]
    assert naming.named(" TIF, .exr") == ["tiff", "exr"]
    with pytest.raises(UsageError, match="tiff is named twice"):
        naming.named("tiff,exr,tif")
    for words in ("", "exr,", "exr,gif"):
        with pytest.raises(UsageError, match="cannot write"):
            naming.named(words)


def test_a_preview_of_one_picture(tmp_path: Path) -> None:
    source = Path("x/a.b.jpg")
    assert naming.beside("preview", "p.PNG", source) == Path("p.PNG")
    assert naming.beside("preview", str(tmp_path), source) == tmp_path / "a.b.preview.png"
    assert naming.beside("tonemap", "new/", source) == Path("new/a.b.sdr.jpg")
    assert naming.beside("tonemap", "t.jpeg", None) == Path("t.jpeg")
    with pytest.raises(UsageError, match=r"--preview p\.jpg: end its name in \.png"):
        naming.beside("preview", "p.jpg", source)
    with pytest.raises(UsageError, match="has no name"):
        naming.beside("tonemap", str(tmp_path), None)


def test_previews_of_several(tmp_path: Path) -> None:
    assert naming.folder_beside("preview", "new") == Path("new")
    (tmp_path / "odd.png").mkdir()
    assert naming.folder_beside("preview", str(tmp_path / "odd.png")) == tmp_path / "odd.png"
    with pytest.raises(UsageError, match="several pictures need a folder"):
        naming.folder_beside("preview", "p.png")


def test_every_picture_gets_all_its_files() -> None:
    further = [
        Further(Output(None, "tiff", peak_nits=1000.0), Path("hdr"), ".tif"),
        Further(Output(None, "preview"), Path("look"), ".preview.png"),
    ]
    sources = [Source(Path("photos/x/a.jpg"), Path("x/a.jpg"))]
    (job,) = plan.plan(sources, Path("hdr"), Job(None, None), ".exr", [".jpg"], further).jobs
    assert [(output.target, output.format) for output in job.outputs] == [
        (Path("hdr/x/a.exr"), "exr"),
        (Path("hdr/x/a.tif"), "tiff"),
        (Path("look/x/a.preview.png"), "preview"),
    ]
    assert job.more[0].peak_nits == 1000


def test_collisions_among_the_files_of_pictures() -> None:
    def collide(*names: str, suffix: str) -> None:
        further = [Further(Output(None, "uhdr"), Path("hdr"), suffix)]
        sources = [Source(Path("hdr", name), Path(name), True) for name in names]
        plan.refuse_collisions(
            plan.plan(sources, Path("hdr"), Job(None, None), ".exr", [".jpg"], further).collisions
        )

    with pytest.raises(UsageError, match=r"two of its files would both become hdr/a\.exr"):
        collide("a.jpg", suffix=".exr")
    with pytest.raises(UsageError, match=r"would become hdr/a\.jpg, which is itself to be converted"):
        collide("a.jpg", suffix=".jpg")
    with pytest.raises(UsageError, match=r"a\.png and hdr/a\.webp would both become"):
        collide("a.png", "a.webp", suffix=".jpg")
