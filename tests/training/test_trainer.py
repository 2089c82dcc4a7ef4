"""All stages on pictures of a few pixels: they run, resume, and leave archives that convert."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sdr2hdr import checkpoint
from sdr2hdr.cli.train import STAGES as NAMES
from sdr2hdr.color.transfer import pq_encode
from sdr2hdr.errors import InputError
from sdr2hdr.networks import ROLES
from sdr2hdr.networks.base import BaseNet
from sdr2hdr.training import trainer
from sdr2hdr.training.chain import Chain
from sdr2hdr.training.crops import Crops
from sdr2hdr.training.mixed import Average, masters, train_rounded
from sdr2hdr.training.pictures import held_out, load_pictures
from sdr2hdr.training.pool import FIELDS, Pool
from sdr2hdr.training.shots import Sampling, Shots, anchored, page
from sdr2hdr.training.stages import STAGES
from sdr2hdr.training.validation import figures, pairs, validate
from sdr2hdr.training.views import panorama_view, view

SMALL = Sampling(long_side=64)


@pytest.fixture(scope="module")
def pool(hdr_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Pool:
    made = Pool(tmp_path_factory.mktemp("pool"), views=8, long_side=64)
    pictures = load_pictures(hdr_folder)
    steps = list(made.fill(pictures, SMALL))
    assert steps[-1] == 16
    return made


def test_the_command_names_every_stage() -> None:
    assert set(NAMES) == {"pool", *STAGES}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_stage_runs_and_leaves_an_archive(
    hdr_folder: Path, validation_folder: Path, pool: Pool, tmp_path: Path, precision: str
) -> None:
    for role, net in ROLES.items():
        start = {"role": role, "look": "scene", "arguments": {}}
        checkpoint.save(tmp_path / f"scene-{role}.pt", net(), start)
    for name, stage in STAGES.items():
        run = trainer.Run(
            name, hdr_folder, tmp_path, pool, tmp_path, (validation_folder,), steps=2, every=2, precision=precision,
            sampling=SMALL,
        )  # fmt: skip
        before = trainer.former(run, stage.role).state_dict()
        result = trainer.train(run)
        assert all(math.isfinite(v) for k, v in result[validation_folder.name].items() if "PQ" in k)
        after = checkpoint.rebuild(tmp_path / f"scene-{stage.role}.pt").state_dict()
        changed = {key for key in after if not torch.equal(after[key], before[key])}
        assert changed, name
        assert all(key.startswith(stage.trained) for key in changed if stage.trained), name
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["stage"] for row in rows] == list(STAGES)


def test_training_goes_on_where_it_stopped(hdr_folder: Path, pool: Pool, tmp_path: Path) -> None:
    run = trainer.Run("base", hdr_folder, tmp_path, pool, tmp_path, steps=3, every=1, precision="fp32")
    trainer.train(replace(run, steps=2))
    trainer.train(run)
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3]


@pytest.mark.parametrize("name", [name for name, stage in STAGES.items() if stage.loss])
def test_stages_learn_one_batch_by_heart(pool: Pool, name: str) -> None:
    torch.manual_seed(0)
    chain = Chain(*(net().eval() for net in ROLES.values()))  # type: ignore[arg-type]
    stage = STAGES[name]
    layers = Crops(pool, views=2, windows=1, size=64, seed=0).batch(chain.base)
    net = getattr(chain, stage.role).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    losses = []
    for _ in range(25):
        assert stage.loss is not None
        loss = torch.stack(list(stage.loss(net, layers, chain).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses[-5:]) < 0.9 * losses[0]


def test_a_pool_depends_on_its_seed_alone_and_resumes(hdr_folder: Path, pool: Pool, tmp_path: Path) -> None:
    again = Pool(tmp_path, views=8, long_side=64)
    pictures = load_pictures(hdr_folder)
    for done in again.fill(pictures, SMALL):
        if done >= 8:
            break
    list(again.fill(pictures, SMALL))
    for name in FIELDS:
        for aspect in (0, 1):
            np.testing.assert_array_equal(again.field(name, aspect), pool.field(name, aspect))
    with pytest.raises(ValueError, match="delete it"):
        Pool(tmp_path, views=9, long_side=64).filled()


def test_decomposed_views_belong_together(pool: Pool) -> None:
    signal, base = (pool.field(name, 0).astype(np.float32) / 65535 for name in ("signal", "base"))
    assert np.abs(signal.mean((2, 3)) - base.mean((2, 3))).max() < 0.01  # WLS keeps the mean
    assert base.std() < signal.std()


def test_rounded_bodies_keep_float32_masters() -> None:
    net = BaseNet(coarse_widths=(8, 12), fine_widths=(8, 12))
    plain = {name: p.clone() for name, p in net.named_parameters()}
    average = Average(net, 0.5)
    train_rounded(net)
    assert net.fine_net.body.stem.weight.dtype == torch.bfloat16
    assert net.fine_net.last.weight.dtype == torch.float32
    assert masters(net).keys() == plain.keys()
    assert all(torch.equal(p, plain[name]) for name, p in masters(net).items())
    average.update(net)
    assert all(torch.allclose(p, plain[name]) for name, p in average.net.named_parameters())


def test_shots_are_seeded_batches_of_one_size(hdr_folder: Path) -> None:
    pictures = load_pictures(hdr_folder)
    a, b = (next(iter(Shots(pictures, 3, 7, SMALL))) for _ in range(2))
    assert a["codes"].dtype == torch.uint8
    assert a["codes"].shape == a["pq"].shape
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_a_page_is_its_own_reference() -> None:
    shot = page((48, 64), np.random.default_rng(0))
    assert shot.light.max() <= 1 + 1e-5
    assert shot.codes.max() <= 255


def test_anchor_puts_the_clipping_level_at_one() -> None:
    light = np.linspace(0.01, 3, 64 * 64, dtype=np.float32).reshape(64, 64, 1).repeat(3, 2)
    codes = np.round(255 * np.minimum(light, 1) ** (1 / 2.2)).astype(np.uint8)
    assert anchored(codes, 7 * light).gain * 7 == pytest.approx(1, abs=0.1)


def test_views_of_a_uniform_panorama_are_uniform(hdr_folder: Path) -> None:
    (panorama,) = [p for p in load_pictures(hdr_folder) if p.projection == "equirect"]
    uniform = replace(panorama, light=np.full_like(panorama.light, 2))
    seen = panorama_view(uniform, (32, 48), np.random.default_rng(0))
    np.testing.assert_allclose(seen, 2, rtol=1e-3)
    rng = np.random.default_rng(1)
    assert view(panorama, (32, 48), rng).shape == (32, 48, 3)


def test_held_out_pictures_are_not_trained_on(hdr_folder: Path) -> None:
    train, held = held_out(load_pictures(hdr_folder), 2)
    assert {p.name for p in train}.isdisjoint(p.name for p in held)
    assert held


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no HDR pictures"):
        load_pictures(tmp_path)


def test_figures_of_the_reference_itself(validation_folder: Path) -> None:
    known = {signal: pq_encode(nits) for _, signal, nits in pairs(validation_folder)}

    def perfect(signal: torch.Tensor) -> torch.Tensor:
        return known[signal]

    assert validate(perfect, validation_folder)["absolute.PQ"] > 90


def test_aligned_figures_do_not_see_a_gain() -> None:
    generator = torch.Generator().manual_seed(0)
    signal = 0.9 * torch.rand(1, 3, 32, 32, generator=generator)
    nits = 200 * torch.rand(1, 3, 32, 32, generator=generator) + 2
    row = figures(signal, pq_encode(2 * nits), nits)
    assert row["aligned.PQ"] > 80
    assert row["absolute.PQ"] < 40
