"""sdr2hdr check: is this file really HDR?"""

import json
import sys
from typing import TYPE_CHECKING

import click

from sdr2hdr.cli import _options

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--json", "as_json", is_flag=True, help="A JSON object a file on standard output, and a summary."
)
@click.option("-q", "--quiet", is_flag=True, help="Only the verdicts, a line a file.")
@_options.max_pixels
def command(files: tuple[str, ...], as_json: bool, quiet: bool, max_pixels: int | None) -> None:
    """Say whether picture files are really HDR, what they state, what they hold, and what viewers will do wrong.

    Any picture will do, ours or a stranger's; - is standard input. A file is HDR if it says so in a way that readers
    believe (PQ or HLG by a tag, a gain map, floating-point light) and holds light above SDR white, 203 cd/m2. Levels
    are those of the largest of R, G and B in BT.2020, as MaxCLL has them. HLG is shown on a screen of 1000 cd/m2.

    Exit status: 0 all files are HDR, 1 some file is not, 2 some file cannot be read (the others are reported).
    """
    from sdr2hdr import formats
    from sdr2hdr.checking import check
    from sdr2hdr.cli import _check_words as words
    from sdr2hdr.errors import InputError

    _options.set_verbosity(0, quiet)
    verdicts: list[bool] = []
    errors: list[str] = []
    for file in files:
        try:
            source = sys.stdin.buffer if file == "-" else file
            checked = check(source, max_pixels=max_pixels or formats.MAX_PIXELS, name=file)
        except InputError as error:
            errors.append(str(error))
            if as_json:
                click.echo(json.dumps({"file": file, "error": str(error)}))
            continue
        if as_json:
            click.echo(json.dumps({"file": file, **words.as_object(checked)}))
        elif quiet:
            click.echo(words.verdict(file, checked))
        else:
            click.echo("\n" * bool(verdicts) + words.block(file, checked))
        verdicts.append(checked.hdr)
    for message in errors:
        click.echo(f"sdr2hdr: error: {message}", err=True)
    status = 2 if errors else int(not all(verdicts))
    if as_json:
        counts = {"hdr": sum(verdicts), "not_hdr": verdicts.count(False), "unreadable": len(errors)}
        click.echo(json.dumps({"summary": {**counts, "exit_status": status}}))
    raise click.exceptions.Exit(status)
