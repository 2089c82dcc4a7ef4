"""The inside of a TorchScript archive: a zip of code, a pickle of the module tree, and raw tensors."""

import copy
import io
import pickle
import re
import zipfile
from typing import Any

import torch
from torch import nn

_STORAGES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
}


def plain_copy(net: nn.Module) -> nn.Module:
    """Copy of a net as it is to be written: on the CPU, floats as float32, contiguous, in evaluation mode."""
    plain = copy.deepcopy(net).to("cpu", torch.float32).eval().requires_grad_(False)
    for tensor in (*plain.parameters(), *plain.buffers()):
        tensor.data = tensor.data.contiguous()
    return plain


def canonical(data: bytes) -> bytes:
    """The same archive with nothing in it that depends on where and how it was written.

    Left out: source positions (they hold paths of the machine) and the random identity. Sorted: constants of a class,
    which PyTorch writes in the order of a Python set.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            if name.endswith((".debug_pkl", "/serialization_id")):
                continue
            content = source.read(name)
            if "/code/" in name:
                content = re.sub(rb"(?m)(?:^  \w+ : Final\[.*\n)+", _sorted_lines, content)
            target.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return out.getvalue()


def _sorted_lines(match: "re.Match[bytes]") -> bytes:
    return b"".join(sorted(match[0].splitlines(keepends=True)))


class _Module:
    """Stands for any class of the archive: its attributes, nothing of its code."""


class _Reader(pickle.Unpickler):
    """Reads the module tree; knows tensors and containers, and refuses to import anything else."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))
        self._archive, self._root = archive, root

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("__torch__"):
            return type(name, (_Module,), {})
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda flat, offset, size, stride, *_: flat.as_strided(size, stride, offset).clone()
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        if module == "torch.jit._pickle" and name.startswith("build_"):
            return lambda value, *_: value
        raise ValueError(f"{module}.{name} does not belong in an archive")

    def persistent_load(self, pid: Any) -> torch.Tensor:
        _, dtype, key, _, _ = pid
        return torch.frombuffer(bytearray(self._archive.read(f"{self._root}/data/{key}")), dtype=dtype)


def tensors(data: bytes, names: list[str]) -> dict[str, torch.Tensor]:
    """State dict of an archive, read without TorchScript.

    Parameters
    ----------
    data : the archive
    names : dotted names of the parameters and buffers wanted

    Raises
    ------
    KeyError, ValueError
        A name is not there; the archive holds something else than a module tree.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        root = archive.namelist()[0].split("/")[0]
        tree = _Reader(archive, root).load()
    state = {}
    for name in names:
        node = tree
        for part in name.split("."):
            node = node.__dict__[part]
        state[name] = node
    return state
