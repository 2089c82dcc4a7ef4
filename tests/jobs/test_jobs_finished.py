"""Finished pictures are told by their recipe."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sdr2hdr import formats
from sdr2hdr.errors import OutputError
from sdr2hdr.jobs.convert import Job, convert_file
from sdr2hdr.jobs.finished import finished, finished_alone
from sdr2hdr.pipeline import Converter
from sdr2hdr.settings import Settings


@pytest.fixture(params=["exr", "tiff"])
def job(request: pytest.FixtureRequest, tmp_path: Path) -> Job:
    """A job, not done yet."""
    Image.fromarray(np.full((9, 7, 3), 250, np.uint8)).save(tmp_path / "in.png")
    return Job(tmp_path / "in.png", tmp_path / "out", request.param)


@pytest.fixture
def settings(weights_folder: Path) -> Settings:
    """Of the tests' weights."""
    return Settings(weights=weights_folder, precision="fp32")


def test_finished_is_what_would_come_out_again(job: Job, settings: Settings) -> None:
    assert job.source
    assert job.target
    nets = Converter(settings)
    assert not finished(job, nets)
    convert_file(job, settings)
    assert finished(job, nets)
    assert finished_alone(job, settings)
    assert not finished_alone(replace(job, overwrite=True), settings)
    copy = job.source.with_name("copy.png")
    copy.write_bytes(job.source.read_bytes())
    assert finished(replace(job, source=copy), nets), "a copy is the same picture"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"peak_nits": 500.0}, "peak 10000 instead of 500"),
        ({"strength": 0.5}, "strength 1 instead of 0.5"),
        ({"invent": False}, "invent yes instead of no"),
        ({"threshold": 0.9}, "threshold auto instead of 0.9"),
        ({"work_size": 0.5}, "work-size 0.75 instead of 0.5"),
        ({"white_nits": 100.0}, "white 203 instead of 100"),
    ],
)
def test_another_option(changed: dict[str, float], said: str, job: Job, settings: Settings) -> None:
    convert_file(job, settings)
    other = Converter(replace(settings, **changed))
    with pytest.raises(OutputError, match=rf"exists already, made with {said}; use --overwrite"):
        finished(job, other)
    assert not finished(replace(job, overwrite=True), other)


def test_other_weights(job: Job, settings: Settings, random_weights_folder: Path) -> None:
    convert_file(job, settings)
    with pytest.raises(OutputError, match="made with weights-base "):
        finished(job, Converter(replace(settings, weights=random_weights_folder)))


def test_options_of_the_file(job: Job, settings: Settings) -> None:
    nets = Converter(settings)
    convert_file(job, settings)
    for options, said in (
        (formats.EncodeOptions(half=False), "channels half instead of float"),
        (formats.EncodeOptions(primaries="709"), "primaries 2020 instead of 709"),
    ):
        other = replace(job, options=options)
        if job.format == "tiff":
            assert finished(other, nets), "they are about EXR"
        else:
            with pytest.raises(OutputError, match=said):
                finished(other, nets)


def test_a_changed_source_and_files_of_others(job: Job, settings: Settings) -> None:
    assert job.source
    assert job.target
    nets = Converter(settings)
    convert_file(job, settings)
    Image.fromarray(np.full((9, 7, 3), 251, np.uint8)).save(job.source)
    with pytest.raises(OutputError, match="made from another picture, or from this one before it changed"):
        finished(job, nets)
    whole = job.target.read_bytes()
    for stranger in (b"", b"precious", whole[:40], whole[: len(whole) // 2], whole[:-1]):
        job.target.write_bytes(stranger)
        with pytest.raises(OutputError, match="exists already, which is no complete file of sdr2hdr"):
            finished(job, nets)
        assert not finished(replace(job, overwrite=True), nets)
