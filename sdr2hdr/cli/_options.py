"""Options that more than one command takes, and how much is said on stderr."""

import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _together(*options: Decorator) -> Decorator:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


weights = click.option(
    "--weights",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of weights. [default: $SDR2HDR_WEIGHTS, else those of the package]",
)

# One option per field of `settings.Settings`, under the field's name.
method = _together(
    click.option(
        "--look",
        help="Which weights: scene is the light in front of the camera, display the photograph's own with light where "
        "it was clipped. [default: scene for exr and hdr; else display, where there are weights of it]",
    ),
    click.option(
        "--strength",
        type=click.FloatRange(0, 1),
        default=1.0,
        show_default=True,
        help="0: the plain mapping of SDR to HDR; 1: all that the nets say.",
    ),
    click.option(
        "--no-invent",
        "invent",
        flag_value=False,
        default=True,
        help="No made-up detail where all was clipped.",
    ),
    click.option(
        "--peak",
        "peak_nits",
        type=click.FloatRange(1, 10000),
        metavar="NITS",
        help="Brightest light in cd/m2; above 0.75 of it light is rolled off. [default: 10000 for exr and hdr, else "
        "1000]",
    ),
    click.option(
        "--white",
        "white_nits",
        type=click.FloatRange(1, 10000),
        metavar="NITS",
        default=203.0,
        show_default=True,
        help="Luminance of SDR white in cd/m2.",
    ),
    click.option(
        "--threshold",
        type=click.FloatRange(0.75, 0.995),
        metavar="SIGNAL",
        help="SDR signal above which light is restored, 0.75 to 0.995. [default: chosen from the picture]",
    ),
    click.option(
        "--work-size",
        type=click.FloatRange(0),
        metavar="MP",
        default=0.75,
        show_default=True,
        help="Size at which the nets see the picture, in megapixels; 0: full size.",
    ),
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ..."),
    click.option(
        "--precision",
        type=click.Choice(["auto", "fp32", "bf16"]),
        default="auto",
        show_default=True,
        help="Arithmetic of the nets; auto: bf16 where the hardware is fast at it.",
    ),
    weights,
)

encoding = _together(
    click.option(
        "--format",
        "format_name",
        metavar="NAMES",
        help="What to write, as `sdr2hdr info` lists it; several with commas, into a folder, are computed once. "
        "[default: from DST's name, else exr]",
    ),
    click.option(
        "--primaries",
        type=click.Choice(["2020", "709", "p3", "acescg"]),
        default="2020",
        show_default=True,
        help="Primaries of an EXR.",
    ),
    click.option("--float", "full_float", is_flag=True, help="EXR in 32 instead of 16 bits per channel."),
    click.option(
        "--bits", type=click.Choice(["10", "12"]), help="Bits per channel of an AVIF. [default: 10]"
    ),
    click.option("--strip", is_flag=True, help="Leave out the source's EXIF and XMP: place, date, camera."),
)

eyes = _together(
    click.option(
        "--preview",
        metavar="FILE.png",
        type=click.Path(),
        help="A sheet for any screen: the picture beside its HDR version at 0, -1, -2 and -3 stops. Of several "
        "pictures: a folder of NAME.preview.png.",
    ),
    click.option(
        "--tonemap",
        metavar="FILE.jpg",
        type=click.Path(),
        help="The HDR version as a good SDR picture, .jpg or .png. Of several pictures: a folder of NAME.sdr.jpg.",
    ),
)

batch = _together(
    click.option(
        "-o",
        "-t",
        "--output",
        "--target-directory",
        "folder",
        metavar="DST",
        type=click.Path(),
        help="DST; all other names are sources then. A folder unless it has the suffix of a format; made if it is "
        "not there.",
    ),
    click.option("-r", "--recursive", is_flag=True, help="Look into the sub-folders of folders, too."),
    click.option(
        "--ext",
        "extensions",
        metavar="LIST",
        multiple=True,
        help="Take only these from folders, e.g. jpg,png. [default: all that can be read]",
    ),
    click.option(
        "-j",
        "--jobs",
        "at_once",
        type=click.IntRange(1),
        metavar="N",
        help="Pictures of a batch that are computed side by side, each with its share of the threads; two more are "
        "read ahead or written. [default: 2; 1 on a GPU or a single core]",
    ),
    click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing."),
    click.option("--fail-fast", is_flag=True, help="End a batch at the first picture that fails."),
    click.option(
        "--json", "as_json", is_flag=True, help="A JSON object a picture on standard output, and a summary."
    ),
)

max_pixels = click.option(
    "--max-pixels",
    type=click.IntRange(1),
    metavar="N",
    help="Refuse larger pictures before decoding them. [default: 200000000]",
)

verbosity = _together(
    click.option("-v", "--verbose", count=True, help="Say what was done; -vv: and how."),
    click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
)


def set_verbosity(verbose: int, quiet: bool) -> None:
    """Send the package's log to stderr, from warnings on; errors only if quiet, more if verbose."""
    level = logging.ERROR if quiet else (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Format("sdr2hdr: %(levelname)s: %(message)s"))
    logging.basicConfig(handlers=[handler], force=True)
    logging.getLogger("sdr2hdr").setLevel(level)
    if verbose < 2 and not sys.warnoptions:
        warnings.simplefilter("ignore")  # of the libraries below: nothing that a user can act on


class _Format(logging.Formatter):
    """Levels in lower case, as the errors have them."""

    def format(self, record: logging.LogRecord) -> str:
        record.levelname = record.levelname.lower()
        return super().format(record)
