"""All stages on pictures of a few pixels: they run, resume exactly, and leave archives that convert."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from small_training import SMALL_NETS

from sdr2hdr import checkpoint
from sdr2hdr.color.transfer import pq_encode
from sdr2hdr.errors import InputError, TrainingError
from sdr2hdr.networks import ROLES
from sdr2hdr.networks.base import BaseNet
from sdr2hdr.training import trainer
from sdr2hdr.training.chain import Chain
from sdr2hdr.training.crops import Crops, layers
from sdr2hdr.training.distributed import World
from sdr2hdr.training.learner import Learner, rate_at
from sdr2hdr.training.meter import Meter
from sdr2hdr.training.mixed import Average, masters, train_rounded
from sdr2hdr.training.pictures import load_light
from sdr2hdr.training.pool import Pool
from sdr2hdr.training.run import STAGES as NAMES
from sdr2hdr.training.run import Run
from sdr2hdr.training.stages import STAGES

ALONE = World(0, 1, torch.device("cpu"))


def test_the_stages_have_names() -> None:
    assert set(NAMES) == {"pool", *STAGES}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_stage_runs_and_leaves_archives(run: Run, start: Path, precision: str) -> None:
    former = start
    for name, stage in STAGES.items():
        result = trainer.train(replace(run, stage=name, precision=precision))
        assert all(math.isfinite(v) for k, v in result[run.validation[0].name].items() if "PQ" in k)
        for role in stage.roles:
            path = run.out / f"scene-{role}.pt"
            before = checkpoint.rebuild((former if not path.exists() else run.out) / path.name).state_dict()
            after = checkpoint.rebuild(path).state_dict()
            assert before.keys() == after.keys()
            assert checkpoint.describe(path)["arguments"] == json.loads(json.dumps(SMALL_NETS[role]))
    rows = [json.loads(line) for line in (run.out / "log.jsonl").read_text().splitlines()]
    assert [row["stage"] for row in rows] == list(STAGES)
    for row in rows:
        assert row["activations"]
        assert row["figures"][run.validation[0].name]["level.sd"] >= 0
        assert sum(row["shares"].values()) <= 1.001
    assert any("critic.local" in row["loss"] for row in rows)


def test_a_stage_changes_what_it_trains_and_nothing_else(run: Run, start: Path) -> None:
    for name, stage in STAGES.items():
        out = run.out / name
        trainer.train(replace(run, stage=name, out=out, validation=()))
        changed = set()
        for role in stage.roles:
            before = checkpoint.rebuild(start / f"scene-{role}.pt").state_dict()
            after = checkpoint.rebuild(out / f"scene-{role}.pt").state_dict()
            changed |= {f"{role}.{key}" for key in after if not torch.equal(after[key], before[key])}
        assert changed, name
        assert all(stage.trains(key) for key in changed), name


@pytest.mark.parametrize("name", STAGES)
def test_a_resumed_run_has_the_loss_curve_of_an_unbroken_one(run: Run, tmp_path: Path, name: str) -> None:
    unbroken, broken = (
        replace(run, stage=name, out=tmp_path / out, validation=(), every=1, steps=4, workers=1)
        for out in ("a", "b")
    )
    trainer.train(unbroken)
    seen = 0

    class Killed(Exception):
        pass

    def tell(row: str) -> None:
        nonlocal seen
        seen += 1
        if seen == 2:
            raise Killed

    with pytest.raises(Killed):
        trainer.train(broken, tell)
    trainer.train(broken)
    a, b = (
        {row["step"]: row["loss"] for row in map(json.loads, (r.out / "log.jsonl").read_text().splitlines())}
        for r in (unbroken, broken)
    )
    assert {step: b[step] for step in (3, 4)} == {step: a[step] for step in (3, 4)}
    for role in STAGES[name].roles:
        paths = [r.out / f"scene-{role}.pt" for r in (unbroken, broken)]
        one, two = (checkpoint.rebuild(path).state_dict() for path in paths)
        assert all(torch.equal(one[key], two[key]) for key in one)


def test_the_display_look_begins_with_the_scene_looks_nets(run: Run) -> None:
    display = replace(run, look="display", workers=0)
    trainer.train(replace(display, stage="base-coarse", validation=()))
    before = checkpoint.rebuild(run.out / "display-base.pt").state_dict()
    trainer.train(replace(display, stage="base-judge"))
    after = checkpoint.rebuild(run.out / "display-base.pt").state_dict()
    changed = {key for key in after if not torch.equal(after[key], before[key])}
    assert changed
    assert all(key.startswith("coarse_net.sure.") for key in changed)


def test_a_loss_that_is_no_number_stops_with_the_last_good_state(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer.train(replace(run, steps=2, every=1))
    kept = {p: p.read_bytes() for p in (run.out / "base.state").iterdir()}

    def poisoned(*arguments: object) -> dict[str, torch.Tensor]:
        return {"base": torch.tensor(float("nan"), requires_grad=True)}

    monkeypatch.setattr("sdr2hdr.training.learner.terms", poisoned)
    with pytest.raises(
        TrainingError, match=r"step 2: the loss is no number; the last good state is in .*base\.state"
    ):
        trainer.train(replace(run, steps=3))
    assert {p: p.read_bytes() for p in (run.out / "base.state").iterdir()} == kept


def test_a_run_of_minutes_ends_and_keeps_small_files(run: Run) -> None:
    trainer.train(replace(run, stage="joint", minutes=0.05, every=10**6, validation=()))
    row = json.loads((run.out / "log.jsonl").read_text())
    assert 0.05 <= row["minutes"] < 1
    sizes = [p.stat().st_size for p in run.out.rglob("*") if p.is_file()]
    assert max(sizes) < 16e6


def test_a_damaged_state_is_refused(run: Run) -> None:
    trainer.train(run)
    (run.out / "base.state" / "0.pt").write_bytes(b"not a state")
    with pytest.raises(InputError, match="delete it to begin anew"):
        trainer.train(replace(run, steps=3))


@pytest.mark.parametrize("name", [name for name, stage in STAGES.items() if stage.loss])
def test_stages_learn_one_batch_by_heart(pool: Pool, name: str) -> None:
    torch.manual_seed(0)
    chain = Chain(*(net(**SMALL_NETS[role]).eval() for role, net in ROLES.items()))  # type: ignore[arg-type]
    learner = Learner(chain, STAGES[name], "fp32", ALONE)
    batch = layers(Crops(pool, 2, 1, 64, 0).batch(0), learner.average.net.base, 64, ALONE.device)
    losses = [
        sum(
            v
            for k, v in learner.learn(batch, 2e-3, 0, Meter()).items()
            if not k.startswith(("critic", "penalty"))
        )
        for _ in range(25)
    ]
    assert min(losses[-5:]) < 0.9 * losses[0]


def test_the_rate_warms_up_and_falls() -> None:
    assert rate_at(0, 0, 1.0) == pytest.approx(1 / 50)
    assert rate_at(0, 1000, 1.0) == pytest.approx(1)
    assert rate_at(1, 1000, 1.0) == pytest.approx(0.02)
    rates = [rate_at(k / 100, 1000, 1.0) for k in range(101)]
    assert rates == sorted(rates, reverse=True)


def test_rounded_bodies_keep_float32_masters() -> None:
    net = BaseNet(**SMALL_NETS["base"])
    plain = {name: p.clone() for name, p in net.named_parameters()}
    average = Average(net, 0.5, plain)
    train_rounded(net)
    assert net.fine_net.body.stem.weight.dtype == torch.bfloat16
    assert net.fine_net.last.weight.dtype == torch.float32
    assert masters(net).keys() == plain.keys()
    assert all(torch.equal(p, plain[name]) for name, p in masters(net).items())
    average.update(net)
    assert all(torch.allclose(p, plain[name]) for name, p in average.net.named_parameters())


def test_without_click_and_most_other_packages(run: Run, tmp_path: Path) -> None:
    data, validation = (
        _as_jpeg2000(run.data, tmp_path / "data"),
        _as_jpeg2000(run.validation[0], tmp_path / "pairs"),
    )
    blocked = ["click", "tqdm", "OpenEXR", "colour", "scipy", "imagecodecs", "tifffile", "PIL"]
    code = f"""
import sys
for name in {blocked}:
    sys.modules[name] = None
import runpy
sys.argv = ["training", "refine", "--data", {str(data)!r}, "--out", {str(run.out)!r}, "--weights",
    {str(run.weights)!r}, "--validation", {str(validation)!r}, "--steps", "2", "--pool-views", "8",
    "--pool-side", "64", "--refresh", "1000", "--device", "cpu"]
runpy.run_module("sdr2hdr.training", run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout.splitlines()[-1])
    assert row["step"] == 2
    assert row["figures"]
    assert (run.out / "scene-refine.pt").exists()


def _as_jpeg2000(source: Path, target: Path) -> Path:
    """A folder's pictures as 16-bit PQ, lossless; other files as they are."""
    target.mkdir()
    for path in source.iterdir():
        if path.suffix != ".exr":
            (target / path.name).write_bytes(path.read_bytes())
            continue
        pq = pq_encode(torch.from_numpy(load_light(path)) * 203).numpy()
        codes = np.round(pq[..., ::-1] * 65535).astype(np.uint16)
        assert cv2.imwrite(
            str(target / f"{path.stem}.jp2"), codes, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000]
        )
    return target
