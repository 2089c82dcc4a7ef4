"""The state of a training on disk."""

from pathlib import Path

import pytest
import torch

from sdr2hdr.errors import InputError
from sdr2hdr.training import state


def big(seed: int) -> state.Tensors:
    generator = torch.Generator().manual_seed(seed)
    return {f"net/{i}": torch.randn(1024, 1024, generator=generator) for i in range(7)}


def test_it_comes_back_in_files_below_16_mb(tmp_path: Path) -> None:
    folder = tmp_path / "base.state"
    state.save(folder, big(0), {"step": 3})
    found = state.load(folder)
    assert found
    assert found[1]["step"] == 3
    assert all(torch.equal(found[0][name], tensor) for name, tensor in big(0).items())
    assert max(p.stat().st_size for p in folder.iterdir()) < 16e6


def test_a_view_is_saved_without_its_storage(tmp_path: Path) -> None:
    state.save(tmp_path / "s", {"net/a": torch.zeros(4096, 4096)[:2, :2]}, {})
    assert sum(p.stat().st_size for p in (tmp_path / "s").iterdir()) < 1e5


@pytest.mark.parametrize("moment", ["torch.save", "Path.replace"])
def test_the_former_state_survives_whatever_moment_the_process_dies_at(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "base.state"
    state.save(folder, big(0), {"step": 1})

    class Died(Exception):
        pass

    calls = 0
    replace = Path.replace

    def dying(*arguments: object, **more: object) -> Path:
        nonlocal calls
        calls += 1
        if moment == "Path.replace" and calls == 1:
            return replace(*arguments, **more)  # type: ignore[arg-type]
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(torch if moment == "torch.save" else Path, moment.split(".")[1], dying)
        with pytest.raises(Died):
            state.save(folder, big(1), {"step": 2})
    found = state.load(folder)
    assert found
    assert found[1]["step"] == 1
    state.save(folder, big(2), {"step": 3})
    assert (state.load(folder) or ({}, {}))[1]["step"] == 3
    assert [p.name for p in tmp_path.iterdir()] == ["base.state"]


def test_none_and_damaged(tmp_path: Path) -> None:
    assert state.load(tmp_path / "s") is None
    state.save(tmp_path / "s", big(0), {"step": 1})
    (tmp_path / "s" / "state.json").write_text("{")
    with pytest.raises(InputError, match="delete it to begin anew"):
        state.load(tmp_path / "s")


def test_an_optimiser_comes_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    ends = []
    for broken in (False, True):
        torch.manual_seed(1)
        net = torch.nn.Linear(3, 3)
        optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
        for step in range(4):
            if broken and step == 2:
                kept = state.pack(optimizer, "moments")
                state.save(tmp_path / "s", kept, {})
                optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
                state.unpack(optimizer, "moments", (state.load(tmp_path / "s") or ({}, {}))[0])
            optimizer.zero_grad()
            net(torch.ones(1, 3)).square().sum().backward()
            optimizer.step()
        ends.append(net.weight.detach())
    assert torch.equal(*ends)
