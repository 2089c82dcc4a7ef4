"""The pool: contents by seed, filling that resumes, refreshing; and the windows that are taken from it."""

import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch
from small_training import SMALL, SMALL_NETS

from sdr2hdr.errors import UsageError
from sdr2hdr.networks.base import BaseNet
from sdr2hdr.training.crops import Crops, layers
from sdr2hdr.training.filling import fill, refresh, refresher
from sdr2hdr.training.pictures import load_pictures
from sdr2hdr.training.pool import ASPECTS, CHUNK, FIELDS, Pool
from sdr2hdr.training.shots import Shots

CPU = torch.device("cpu")


def contents(pool: Pool) -> dict[str, np.ndarray]:
    """Every field by aspect, in the order of the chunks, whatever slots they lie in."""
    state = pool.state()
    return {
        f"{name}-{aspect}": np.stack([pool.field(name, aspect)[c.slot] for c in state.chunks[aspect] if c])
        for name in FIELDS
        for aspect in range(len(ASPECTS))
    }


def test_it_depends_on_its_seed_alone_and_resumes(hdr_folder: Path, pool: Pool, tmp_path: Path) -> None:
    again = Pool(tmp_path, views=8, long_side=64)
    pictures = load_pictures(hdr_folder)
    for done in fill(again, pictures, SMALL):
        if done >= 8:
            break
    assert list(fill(again, pictures, SMALL, workers=2)) == [12, 16]
    for name, values in contents(again).items():
        np.testing.assert_array_equal(values, contents(pool)[name])
    other = Pool(tmp_path / "other", views=8, long_side=64, seed=1)
    list(fill(other, pictures, SMALL))
    assert any((values != contents(pool)[name]).any() for name, values in contents(other).items())


def test_another_pool_in_the_folder_is_refused(pool: Pool) -> None:
    with pytest.raises(UsageError, match="delete it"):
        Pool(pool.folder, views=16, long_side=64).state()


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="stage 'pool' first"):
        Crops(Pool(tmp_path, 8, 64), 2, 1, 64, 0).batch(0)
    assert not list(tmp_path.iterdir())


def test_refreshing_replaces_the_oldest_by_what_the_seed_says(hdr_folder: Path, tmp_path: Path) -> None:
    shots = Shots(load_pictures(hdr_folder), CHUNK, 0, SMALL)
    pools = [Pool(tmp_path / name, views=8, long_side=64) for name in "ab"]
    for pool in pools:
        list(fill(pool, shots.pictures, SMALL))
    before = contents(pools[0])
    refresh(pools[0], shots, 6)
    for _ in range(6):
        refresh(pools[1], shots, 1)
    state = pools[0].state()
    assert sorted(c.generation for row in state.chunks for c in row if c) == [1, 1, 2, 2]
    for aspect, row in enumerate(state.chunks):
        used = [c.slot for c in row if c]
        assert sorted(used + state.free[aspect]) == list(range(len(row) + 2))
    for name, values in contents(pools[0]).items():
        np.testing.assert_array_equal(values, contents(pools[1])[name])
        assert (values != before[name]).any()


def test_the_background_process_refreshes_and_ends(hdr_folder: Path, tmp_path: Path) -> None:
    pool, pictures = Pool(tmp_path, views=8, long_side=64), load_pictures(hdr_folder)
    list(fill(pool, pictures, SMALL))
    with pool.writing(wait=False) as mine:
        assert mine
        blocked = refresher(pool, pictures, SMALL, 1e6)  # another process has the pool
        assert blocked
        blocked.join(20)
        assert blocked.exitcode == 0
    process = refresher(pool, pictures, SMALL, 1e6)
    assert process
    while all(c and c.generation == 0 for row in pool.state().chunks for c in row):
        assert process.is_alive()
    process.terminate()
    process.join(20)
    assert json.loads((tmp_path / "state.json").read_text())
    assert refresher(pool, pictures, SMALL, 0) is None
    assert not multiprocessing.active_children()


def test_decomposed_views_belong_together(pool: Pool) -> None:
    codes = contents(pool)
    signal, base = codes["signal-0"] / 255, codes["base-0"] / 65535
    assert np.abs(signal.mean((3, 4)) - base.mean((3, 4))).max() < 0.01  # WLS keeps the mean
    assert base.std() < signal.std()


def test_windows_depend_on_their_number_and_lie_in_the_mask(pool: Pool) -> None:
    a, b = Crops(pool, 4, 2, 32, 3), Crops(pool, 4, 2, 32, 3)
    b.batch(0)
    again, first = b.batch(7), a.batch(7)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(a.batch(8)["signal"], first["signal"])
    net = BaseNet(**SMALL_NETS["base"]).eval()
    found = layers(first, net, 32, CPU)
    assert found.signal.shape == (8, 3, 32, 32)
    clipped = (first["signal"].float().amax(1) / 255 >= 0.95).any(-1).any(-1)
    inside = found.mask.amax((1, 2, 3)).view(4, 2)[:, 0] > 0
    assert bool((inside | ~clipped).all())


def test_an_untrained_chain_sees_the_direct_mapping(pool: Pool) -> None:
    net = BaseNet(**SMALL_NETS["base"]).eval()
    maps = Crops(pool, 4, 1, 64, 0).batch(0)
    maps["real"][:] = False
    found = layers(maps, net, 64, CPU)
    torch.testing.assert_close(found.start, net.mapped(found.base, torch.zeros(4, 3, 17)))
    torch.testing.assert_close(found.hdr, _windowed(maps, "pq"))


def _windowed(maps: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    top, left = maps["places"][:, 0].T
    return torch.stack(
        [v[:, t : t + 64, x : x + 64].float() / 65535 for v, t, x in zip(maps[name], top, left, strict=True)]
    )


def test_references_of_unknown_scale_follow_the_whole_view(pool: Pool) -> None:
    """The same, whatever their scale was, and for every window alike, however much of it is clipped."""
    net = BaseNet(**SMALL_NETS["base"]).eval()
    maps = Crops(pool, 4, 3, 24, 0).batch(1)
    maps["real"][:] = True
    brighter = {name: values.clone() for name, values in maps.items()}
    for name in ("pq", "pq_base"):
        nits = net.tone.decode(maps[name].float() / 65535)
        brighter[name] = (net.tone.encode(0.5 * nits) * 65535).round().to(torch.uint16)
    one, other = layers(maps, net, 24, CPU), layers(brighter, net, 24, CPU)
    torch.testing.assert_close(one.hdr, other.hdr, atol=5e-3, rtol=0)
    torch.testing.assert_close(one.hdr_base, other.hdr_base, atol=5e-3, rtol=0)
    maps["real"][:] = False
    plain = layers(maps, net, 24, CPU)
    ratios = (net.tone.decode(one.hdr) / net.tone.decode(plain.hdr).clamp(min=1)).flatten(1).median(1).values
    assert float(ratios.view(4, 3).std(1).max()) < 0.02 * float(ratios.mean())
