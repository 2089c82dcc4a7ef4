"""Several files of one picture: what is computed for them, what becomes of each."""

import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sdr2hdr import checksums, formats
from sdr2hdr.errors import OutputError, WeightsError
from sdr2hdr.image import HdrImage, SdrImage
from sdr2hdr.jobs import batch, convert, looks
from sdr2hdr.jobs.finished import finished_alone, left_alone
from sdr2hdr.jobs.job import Job, Output, methods
from sdr2hdr.pipeline import Converter, Report
from sdr2hdr.settings import Settings


@pytest.fixture
def settings(random_weights_folder: Path) -> Settings:
    """Of the tests' weights."""
    return Settings(weights=random_weights_folder, precision="fp32", work_size=0.001)


@pytest.fixture
def both_looks(random_weights_folder: Path, weights_folder: Path, tmp_path: Path) -> Path:
    """Weights of both looks, which do different things."""
    folder = tmp_path / "weights"
    shutil.copytree(random_weights_folder, folder)
    for archive in weights_folder.glob("scene-*.pt"):
        shutil.copy(archive, folder / archive.name.replace("scene", "display"))
    checksums.write(folder)
    return folder


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """An EXR of all the light, a TIFF of 250 cd/m2, a preview and a tone-mapped picture."""
    rng = np.random.default_rng(0)
    codes = np.clip(rng.integers(0, 320, (24, 36, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(codes).save(tmp_path / "in.png")
    more = (
        Output(tmp_path / "out.tif", "tiff", peak_nits=250.0),
        Output(tmp_path / "p.png", "preview"),
        Output(tmp_path / "t.jpg", "tonemap"),
    )
    return Job(tmp_path / "in.png", tmp_path / "out.exr", more=more)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """Look and peak of every computation."""
    real, calls = Converter.convert, list[tuple[str, float]]()

    def counted(self: Converter, image: SdrImage, **rest: Any) -> tuple[HdrImage, Report]:
        calls.append((self.settings.look, self.settings.peak_nits))
        return real(self, image, **rest)

    monkeypatch.setattr(Converter, "convert", counted)
    return calls


def contents(job: Job) -> list[bytes]:
    return [output.target.read_bytes() for output in job.outputs if output.target]


@pytest.mark.parametrize("many", [False, True])
def test_one_computation_gives_the_bytes_of_many(
    many: bool, job: Job, settings: Settings, computed: list[tuple[str, float]], tmp_path: Path
) -> None:
    if many:
        (outcome,) = batch.run([job], settings)
        assert [result.status for result in outcome.results] == ["done"] * 4
        reports = [result.report for result in outcome.results]
        report = outcome.report
    else:
        report = convert.convert_file(job, settings)
        reports = []
    assert computed == [("scene", 10000.0)]
    assert report
    assert report.peak_nits == 10000
    assert report.max_cll > 250, "the peak matters"
    assert {"read", "full size", "write"} <= set(report.seconds)
    together = contents(job)
    for output, data in zip(job.outputs, together, strict=True):
        assert output.target
        alone = replace(
            job.only([output]), target=output.target.with_stem("alone"), look=None, peak_nits=None
        )
        told = convert.convert_file(alone, output.settings(settings))
        assert alone.target
        assert alone.target.read_bytes() == data, output.format
        if reports:
            found = reports[job.outputs.index(output)]
            assert found
            assert (found.max_cll, found.max_fall) == (told.max_cll, told.max_fall)
    assert formats.recorded(tmp_path / "out.tif", "tiff")["peak"] == "250"


def test_looks_are_computed_apart(
    job: Job, settings: Settings, both_looks: Path, computed: list[tuple[str, float]]
) -> None:
    settings = replace(settings, weights=both_looks)
    job = replace(job, more=(replace(job.more[0], look="display"), *job.more[1:]))
    (outcome,) = batch.run([job], settings)
    assert outcome.status == "done"
    assert computed == [("scene", 10000.0), ("display", 10000.0)]
    assert job.target
    recorded = [formats.recorded(output.target, output.encoder) for output in job.outputs if output.target]
    assert [words["look"] for words in recorded] == ["scene", "display", "scene", "scene"]
    assert recorded[0]["weights-base"] != recorded[1]["weights-base"]
    assert [outcome.status for outcome in batch.run([job], settings)] == ["skipped"]


def test_only_what_is_missing_or_stale_is_made(
    job: Job, settings: Settings, computed: list[tuple[str, float]]
) -> None:
    list(batch.run([job], settings))
    before = contents(job)
    assert finished_alone(job, settings)
    targets = [output.target for output in job.outputs if output.target]
    inodes = [target.stat().st_ino for target in targets]
    targets[1].unlink()
    targets[3].write_bytes(targets[3].read_bytes()[:-9])
    told = replace(job, overwrite=True)
    (planned,) = batch.preview([told], settings)
    assert [result.status for result in planned.results] == ["skipped", "planned", "skipped", "planned"]
    assert planned.status == "planned"
    (outcome,) = batch.run([told], settings)
    assert [result.status for result in outcome.results] == ["skipped", "done", "skipped", "done"]
    assert outcome.status == "done"
    assert contents(job) == before
    assert [target.stat().st_ino == inode for target, inode in zip(targets, inodes, strict=True)][::2] == [
        True
    ] * 2
    assert len(computed) == 2
    targets[1].unlink()
    assert left_alone(job, settings) == [job.outputs[1]]
    assert len(left_alone(told, settings)) == 4, "a picture that is named alone with --overwrite is made anew"


def test_one_file_that_fails_does_not_stop_the_others(
    job: Job, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert job.target
    job.target.write_text("precious")

    def refuse(*_: object) -> bytes:
        raise OutputError("too large")

    monkeypatch.setattr(formats.encoder("tiff"), "encode", refuse)
    (outcome,) = batch.run([job], settings)
    assert [result.status for result in outcome.results] == ["failed", "failed", "done", "done"]
    assert (outcome.status, outcome.code, outcome.message) == ("failed", 1, outcome.results[0].message)
    assert outcome.failures == [
        f"{job.target}: exists already, which is no complete file of sdr2hdr; use --overwrite to replace it",
        "too large",
    ]
    assert job.target.read_text() == "precious"
    assert not (job.target.parent / "out.tif").exists()


def test_a_picture_that_cannot_be_read_is_one_failure(job: Job, settings: Settings) -> None:
    assert job.source
    job.source.write_bytes(b"")
    (outcome,) = batch.run([job], settings)
    assert [result.status for result in outcome.results] == ["failed"] * 4
    assert len(outcome.failures) == 1


def test_weights_of_every_look_are_there_before_the_first_picture(job: Job, settings: Settings) -> None:
    job = replace(job, more=(replace(job.more[0], look="display"),))
    with pytest.raises(WeightsError, match="display-base"):
        list(batch.run([job], settings))
    assert job.target
    assert not job.target.exists()


def test_jobs_travel_and_can_be_split(job: Job, settings: Settings) -> None:
    assert pickle.loads(pickle.dumps(job)) == job
    assert job.only(job.outputs) == job
    part = job.only(job.outputs[1:])
    assert (part.target, part.format, part.peak_nits) == (job.more[0].target, "tiff", 250.0)
    assert part.more == job.more[1:]
    (method,) = methods(job.outputs, settings)
    assert method == settings


def test_looks_by_format(
    both_looks: Path, random_weights_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A format's own look where there are weights of it; flipping one line makes their absence an error."""
    wanted = {name: "scene" if name in ("exr", "radiance") else "display" for name in formats.writers()}
    assert {name: looks.look(name, both_looks) for name in formats.writers()} == wanted
    assert {looks.look(name, random_weights_folder) for name in formats.writers()} == {"scene"}
    monkeypatch.setattr(looks, "INSTEAD", None)
    assert {name: looks.look(name, random_weights_folder) for name in formats.writers()} == wanted
    assert looks.peak_nits("exr") == 10000
    assert looks.peak_nits("tiff") == 1000
