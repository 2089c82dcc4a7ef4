"""The state of a training on disk, to resume from: small files in one folder, replaced as a whole."""

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import torch

from sdr2hdr.errors import InputError

SHARD = 12 * 2**20  # bytes of tensors in a file: some machines hand back only files below 16 MB
Tensors = dict[str, torch.Tensor]


def save(folder: Path, tensors: Tensors, facts: dict[str, Any]) -> None:
    """Write tensors and facts (JSON) to `folder`; what was there stays until the new state is complete."""
    part, old = folder.with_name(f"{folder.name}.part"), folder.with_name(f"{folder.name}.old")
    for leftover in (part, old):
        shutil.rmtree(leftover, ignore_errors=True)
    part.mkdir(parents=True)
    shards: list[Tensors] = [{}]
    size = 0
    for name, tensor in tensors.items():
        # a copy: a view would be written with all of the storage behind it
        tensor = tensor.detach().cpu().clone()
        size += tensor.nbytes
        if size > SHARD and shards[-1]:
            shards.append({})
            size = tensor.nbytes
        shards[-1][name] = tensor
    for i, shard in enumerate(shards):
        torch.save(shard, part / f"{i}.pt")
    (part / "state.json").write_text(json.dumps({**facts, "files": len(shards)}))
    if folder.exists():
        folder.replace(old)
    part.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def load(folder: Path) -> tuple[Tensors, dict[str, Any]] | None:
    """Tensors and facts; None if there are none.

    Raises
    ------
    InputError
        The state is damaged.
    """
    if not folder.exists():
        folder = folder.with_name(f"{folder.name}.old")  # the process died between two renames
        if not folder.exists():
            return None
    try:
        facts = json.loads((folder / "state.json").read_text())
        tensors: Tensors = {}
        for i in range(facts["files"]):
            tensors |= torch.load(folder / f"{i}.pt", weights_only=True, map_location="cpu")
    except (OSError, ValueError, KeyError, RuntimeError, pickle.UnpicklingError) as error:
        raise InputError(f"{folder}: damaged state of a training; delete it to begin anew") from error
    return tensors, facts


def pack(optimizer: torch.optim.Optimizer, prefix: str) -> Tensors:
    """An optimiser's moments by name."""
    return {
        f"{prefix}/{i}/{key}": value
        for i, moments in optimizer.state_dict()["state"].items()
        for key, value in moments.items()
    }


def unpack(optimizer: torch.optim.Optimizer, prefix: str, tensors: Tensors) -> None:
    """Give an optimiser back its moments."""
    moments: dict[int, Tensors] = {}
    for name, value in tensors.items():
        head, _, rest = name.partition("/")
        if head == prefix:
            i, _, key = rest.partition("/")
            moments.setdefault(int(i), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
