"""sdr2hdr info: what is installed here, and which weights."""

import importlib.metadata
import json
import platform
from pathlib import Path
from typing import Any

import click

from sdr2hdr import __version__
from sdr2hdr.cli import _options
from sdr2hdr.errors import WeightsError

LIBRARIES = (
    "torch",
    "numpy",
    "opencv-python-headless",
    "OpenEXR",
    "colour-science",
    "tifffile",
    "imagecodecs",
)


@click.command()
@_options.weights
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(weights: Path | None, as_json: bool) -> None:
    """Show versions, devices, formats, and the weights with their hashes, sizes and figures."""
    _options.set_verbosity(0, False)
    facts: dict[str, Any] = {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "formats": _formats(),
        "devices": _devices(),
    }
    try:
        facts["weights"] = _weights(weights)
    except WeightsError as error:
        facts["weights"] = {"error": str(error)}
        _show(facts, as_json)
        raise
    _show(facts, as_json)


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def _formats() -> dict[str, Any]:
    from sdr2hdr import formats

    written = sorted(formats.writers())
    missing = {name: words for name in written if (words := formats.missing(name))}
    return {"read": sorted(formats.readers()), "written": written, "missing": missing}


def _devices() -> list[dict[str, str]]:
    import torch

    from sdr2hdr import device

    found = [torch.device(name) for name in device.available()]
    return [{"name": device.title(d), "precision": device.precision("auto", d)} for d in found]


def _weights(named: Path | None) -> dict[str, Any]:
    """Every archive of the folder that would be used, checked."""
    from sdr2hdr import checkpoint, checksums

    folder = checkpoint.folder(named)
    files = []
    for path in sorted(folder.glob("*.pt")):
        sha256 = checksums.sha256(path)
        metadata = checkpoint.describe(path)
        size = path.stat().st_size
        files.append({"file": path.name, "bytes": size, "sha256": sha256, **metadata})
    if not files:
        raise WeightsError(
            f"{folder}: no weights there; install sdr2hdr again, or name a folder with --weights"
        )
    return {"folder": str(folder), "files": files}


def _show(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts, indent=1))
        return
    click.echo(f"sdr2hdr {facts['version']}, Python {facts['python']}, {facts['system']}")
    click.echo("libraries  " + ", ".join(f"{k} {v or 'missing'}" for k, v in facts["libraries"].items()))
    click.echo("reads      " + ", ".join(facts["formats"]["read"]))
    click.echo("writes     " + ", ".join(facts["formats"]["written"]))
    for words in facts["formats"]["missing"].values():
        click.echo(f"           {words}")
    for device in facts["devices"]:
        click.echo(f"device     {device['name']}, --precision auto: {device['precision']}")
    weights = facts["weights"]
    if "error" in weights:
        return
    click.echo(f"weights    {weights['folder']}")
    for file in weights["files"]:
        click.echo(f"  {file['file']}  {file['bytes'] / 1e6:.2f} MB  sha256 {file['sha256']}")
        for key, value in file.get("validation", {}).items():
            click.echo(f"    {key}: {_figure(value)}")


def _figure(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_figure(inner)}" for key, inner in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
