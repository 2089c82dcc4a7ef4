"""Trained nets as files: find, check, load, save. The only module that names torch.jit.

One TorchScript archive per look and role, NAME = LOOK-ROLE.pt, and SHA256SUMS beside them (as `sha256sum -c` reads it).
Loading an archive can run the code in it, so the order is always: checksum, metadata, load, role. Metadata is the
archive's own `metadata.json`; `describe` reads it with zipfile alone, and it suffices to build the net anew
(`rebuild`), without TorchScript and without running anything from the archive.

PyTorch is imported when a net is loaded or saved, not before: checksums and metadata need none of it.
"""

import contextlib
import hashlib
import importlib.resources
import io
import json
import logging
import os
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sdr2hdr import __version__
from sdr2hdr.checksums import CURE, SUMS, read_checked
from sdr2hdr.errors import WeightsError

if TYPE_CHECKING:
    import torch
    from torch import nn

ROLES = ("base", "detail", "refine")
_FORMATS = {"base": 2, "detail": 1, "refine": 1}  # raised when a role's inputs or outputs change
_METHODS = {"base": ["mapped", "coarse"], "detail": [], "refine": []}  # what is called besides forward
ENVIRONMENT = "SDR2HDR_WEIGHTS"
_METADATA = "metadata.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """A net ready to run, and what it is.

    net : frozen TorchScript module, in evaluation mode, on its device
    metadata : what `save` was given
    sha256 : of the file, hexadecimal
    path : the file
    """

    net: "nn.Module"
    metadata: dict[str, Any]
    sha256: str
    path: Path


def shipped() -> Path:
    """Folder of the weights that come with the package."""
    try:
        return Path(str(importlib.resources.files("sdr2hdr.weights")))
    except ModuleNotFoundError:  # run from a checkout that is not installed
        return Path(__file__).parents[1] / "weights"


def folder(named: Path | None = None) -> Path:
    """Folder of weights: `named`, else $SDR2HDR_WEIGHTS, else that of the package.

    Raises
    ------
    WeightsError
        There is no such folder.
    """
    variable = os.environ.get(ENVIRONMENT)
    where = named or (Path(variable) if variable else shipped())
    if not where.is_dir():
        raise WeightsError(f"{where}: no such folder of weights; {CURE}")
    return where


def find(look: str, named: Path | None = None) -> dict[str, Path]:
    """Archives of one look by role, from the `folder` that is in force.

    A folder that the user named may do without SHA256SUMS, with a warning in the log; the others may not.

    Raises
    ------
    WeightsError
        The folder, one of the archives or SHA256SUMS is missing.
    """
    where = folder(named)
    paths = {role: where / f"{look}-{role}.pt" for role in ROLES}
    if missing := [path.name for path in paths.values() if not path.is_file()]:
        looks = sorted({path.name.rsplit("-", 1)[0] for path in where.glob("*-base.pt")})
        here = f" (looks there: {', '.join(looks)})" if looks else ""
        raise WeightsError(f"{where}: weights missing: {', '.join(missing)}{here}; {CURE}")
    if not (where / SUMS).is_file():
        if not named:
            raise WeightsError(f"{where / SUMS}: missing, so the weights cannot be checked; {CURE}")
        log.warning("%s: no %s there, so these weights run unchecked", where, SUMS)
    return paths


def has(look: str, named: Path | None = None) -> bool:
    """Whether all archives of a look lie in the folder that is in force; they are not looked into."""
    try:
        where = folder(named)
    except WeightsError:
        return False
    return all((where / f"{look}-{role}.pt").is_file() for role in ROLES)


def describe(path: Path) -> dict[str, Any]:
    """Metadata of an archive, without loading it and without PyTorch.

    Raises
    ------
    WeightsError
        Not an archive of this program.
    """
    return _describe(path, path)


def _describe(source: Path | IO[bytes], path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(source) as archive:
            (name,) = [n for n in archive.namelist() if n.split("/")[1:] == ["extra", _METADATA]]
            metadata = json.loads(archive.read(name))
        stated, role = metadata["format"], metadata["role"]
    except FileNotFoundError:
        raise WeightsError(f"{path}: weights missing; {CURE}") from None
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        raise WeightsError(f"{path}: not a net of sdr2hdr, or damaged; {CURE}") from None
    if role not in ROLES or stated != _FORMATS[role]:
        known = ", ".join(f"{name} {number}" for name, number in _FORMATS.items())
        raise WeightsError(
            f"{path}: role {role!r}, format {stated!r}; this version ({__version__}) reads {known}; "
            f"take weights of this version, or train anew"
        )
    return dict(metadata)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """TorchScript is deprecated upstream; here is the one place to know, and a user can do nothing about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _plain_executor() -> None:
    """Have TorchScript run graphs as they are, from the first call on, in this process.

    By default it watches the first call and rewrites the graph for the second, for each new size of picture: slower
    in a process that converts one, no faster in any other, and results may change by a rounding between the calls.
    """
    import torch

    switch = getattr(
        torch._C, "_jit_set_profiling_mode", None
    )  # private, hence guarded; matters for speed alone
    if callable(switch):
        switch(False)


def load(path: Path, role: str, device: "torch.device | str" = "cpu", precision: str = "fp32") -> Checkpoint:
    """Check and load one archive, frozen, for inference.

    Parameters
    ----------
    path : the archive; SHA256SUMS beside it is obeyed
    role : what it must be: "base", "detail" or "refine"
    device : where it is to run
    precision : "fp32", or "bf16": parameters of sub-modules named `body` become bfloat16, all others stay float32

    Raises
    ------
    WeightsError
        Missing, truncated, altered, unreadable, or of another role.
    """
    import torch

    from sdr2hdr.device import round_bodies

    data = read_checked(path)
    metadata = _describe(io.BytesIO(data), path)
    if metadata["role"] != role:
        raise WeightsError(f"{path}: this is the {metadata['role']} net, not the {role} net; {CURE}")
    _plain_executor()
    with _quiet():
        try:
            net = torch.jit.load(io.BytesIO(data), map_location=device).eval()  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[0]
            raise WeightsError(
                f"{path}: PyTorch {torch.__version__} cannot load it ({reason}); {CURE}"
            ) from None
        if precision == "bf16":
            round_bodies(net)
        net.to(memory_format=torch.channels_last)
        if not all(hasattr(net, name) for name in _METHODS[role]):
            raise WeightsError(
                f"{path}: lacks what the {role} net must do ({', '.join(_METHODS[role])}); {CURE}"
            )
        net = torch.jit.freeze(net, preserved_attrs=_METHODS[role])
    return Checkpoint(net, metadata, hashlib.sha256(data).hexdigest(), path)


def rebuild(path: Path) -> "nn.Module":
    """The eager net of an archive, from its metadata and its tensors; nothing of the archive is run.

    Raises
    ------
    WeightsError
        As for `load`; or the tensors do not fit the net that the metadata describes.
    """
    from sdr2hdr import _archive, networks

    data = read_checked(path)
    metadata = _describe(io.BytesIO(data), path)
    try:
        net = networks.ROLES[metadata["role"]](**metadata["arguments"])
        net.load_state_dict(_archive.tensors(data, list(net.state_dict())))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise WeightsError(f"{path}: its tensors do not fit its metadata ({reason}); {CURE}") from None
    return net.eval()


def save(path: Path, net: "nn.Module", metadata: dict[str, Any]) -> None:
    """Write a net as an archive, complete or not at all.

    The bytes depend on the net, the metadata and the version of PyTorch, not on the machine, the folder or the hash
    seed, provided that the process has scripted no other net before.

    Parameters
    ----------
    net : any device and dtype; it is left as it is, a float32 copy on the CPU is written
    metadata : role, look, arguments (constructor) at least; values that JSON knows. Format and version are added.
    """
    import torch

    from sdr2hdr import _archive

    if metadata["role"] not in ROLES or "arguments" not in metadata:
        raise ValueError(f"metadata must name arguments and a role of {', '.join(ROLES)}")
    metadata = {**metadata, "format": _FORMATS[metadata["role"]], "version": __version__}
    with _quiet():
        buffer = io.BytesIO()
        plain = _archive.plain_copy(net)
        text = json.dumps(metadata, indent=1)
        torch.jit.save(torch.jit.script(plain), buffer, _extra_files={_METADATA: text})
    part = path.with_name(path.name + ".part")
    part.write_bytes(_archive.canonical(buffer.getvalue()))
    part.replace(path)
