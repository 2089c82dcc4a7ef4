"""sdr2hdr train: one stage of the training, on anyone's HDR pictures."""

import logging
import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, Field
from pathlib import Path
from typing import Any

import click

from sdr2hdr.training.run import STAGES, Run, option_fields


def _option(field: Field[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The Click option of a field of `Run`."""
    kind = typing.get_type_hints(Run)[field.name]
    several = typing.get_origin(kind) is tuple
    (plain, *_) = typing.get_args(kind) if several or isinstance(kind, types.UnionType) else (kind,)
    what = field.metadata
    given: click.ParamType[Any]
    if plain is Path:
        exists = field.name in ("data", "weights", "validation")
        given = click.Path(exists=exists, file_okay=False, path_type=Path)
    elif "choices" in what:
        given = click.Choice(what["choices"])
    elif plain is int:
        given = click.IntRange(what.get("least"))
    elif plain is float:
        given = click.FloatRange(what.get("least"))
    else:
        given = click.STRING
    return click.option(
        "--" + field.name.replace("_", "-"),
        type=given,
        help=what["help"],
        multiple=several,
        required=field.default is MISSING,
        default=None if field.default is MISSING or several else field.default,
        show_default=field.default not in (MISSING, None, ()),
    )


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    for field in reversed(option_fields()):
        function = _option(field)(function)
    return function


@click.command()
@click.argument("stage", type=click.Choice(STAGES))
@_options
def command(**options: Any) -> None:
    """Train one STAGE; run again to resume.

    Order: base-coarse, base-judge, base, detail-partial, detail-context, refine, joint. Every stage
    reads the archives of the former ones from OUT, or from --weights, and writes LOOK-ROLE.pt there. The folder of
    decomposed views that the stages after these two read is filled when it is needed, or beforehand by the stage
    `pool`. Several processes train together under torchrun.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    from sdr2hdr import device

    device.tune_allocator()
    from sdr2hdr.training.trainer import train

    train(Run(**options), tell=click.echo)
