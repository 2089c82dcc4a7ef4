"""The training where there is no Click: python -m sdr2hdr.training STAGE --data DIR --out DIR, the options of `train`.

It needs PyTorch, NumPy and OpenCV alone, as machines with a GPU have them, and .hdr or .jp2 for pictures.
"""

import argparse
import sys
import types
import typing
from dataclasses import MISSING

from sdr2hdr.errors import Sdr2HdrError
from sdr2hdr.training.run import STAGES, Run, option_fields


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sdr2hdr.training", description=Run.__doc__)
    parser.add_argument("stage", choices=STAGES)
    hints = typing.get_type_hints(Run)
    for field in option_fields():
        kind = hints[field.name]
        several = typing.get_origin(kind) is tuple
        (plain, *_) = typing.get_args(kind) if several or isinstance(kind, types.UnionType) else (kind,)
        parser.add_argument(
            "--" + field.name.replace("_", "-"),
            type=plain,
            help=field.metadata["help"],
            choices=field.metadata.get("choices"),
            required=field.default is MISSING,
            default=None if several or field.default is MISSING else field.default,
            action="append" if several else "store",
        )
    return parser


def main() -> int:
    """Run one stage; the status of the process."""
    options = vars(_parser().parse_args())
    options["validation"] = tuple(options["validation"] or ())

    from sdr2hdr import device

    device.tune_allocator()
    from sdr2hdr.training.trainer import train

    try:
        train(Run(**options), tell=lambda row: print(row, flush=True))
    except Sdr2HdrError as error:
        print(f"sdr2hdr: error: {error}", file=sys.stderr)
        return error.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
