"""The command line: what people type, and what they are told.

Every public module of this folder is one subcommand: the file's name is its name, and the module's `command` runs it.
Commands import Click and the standard library at the top, everything else when they run: help comes at once.

Exit status: 0 done, 1 a picture failed, 2 usage, 3 weights or installation unusable. Death by a signal (Ctrl-C, a
closed pipe) stays death by that signal, after what was begun has been cleared away.
"""

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from sdr2hdr import __version__, registry
from sdr2hdr.errors import Sdr2HdrError

COMPLETE = "_SDR2HDR_COMPLETE"  # set by shells that complete a line; the name is Click's


class _Folder(click.Group):
    """A group whose commands are the modules of this folder, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return registry.names(sys.modules[__name__])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        try:
            command: click.Command = registry.get(sys.modules[__name__], cmd_name).command
        except KeyError:
            return None
        return command


@click.group(
    cls=_Folder, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def root(ctx: click.Context) -> None:
    """Give SDR pictures back the light that clipping took: photographs in, HDR files out."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


class _Signalled(BaseException):
    """A signal that ends the run; raised so that everything begun is cleared away first."""


def _raise(number: int, frame: FrameType | None) -> None:
    raise _Signalled(number)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its status.

    Parameters
    ----------
    arguments : words after the program's name; None: those of this process
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, _raise)
    _occupy_standard_streams()
    try:
        status = _complete() if COMPLETE in os.environ else None
        if status is None:
            status = _run(sys.argv[1:] if arguments is None else arguments)
        status = _flush(status)
    except _Signalled as ended:
        _die(ended.args[0])
    except (KeyboardInterrupt, click.Abort):
        _die(signal.SIGINT)
    except BrokenPipeError:
        _die(getattr(signal, "SIGPIPE", signal.SIGTERM))
    sys.exit(status)


def _occupy_standard_streams() -> None:
    """Of those that the caller has closed; the next file that is opened would get their number, and their messages."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _complete() -> int | None:
    """Answer a shell that completes a line; None if the variable says nothing that Click knows."""
    from click.shell_completion import shell_complete

    return shell_complete(root, {}, "sdr2hdr", COMPLETE, os.environ[COMPLETE])


def _flush(status: int) -> int:
    """Write out what standard output still holds; the status, 1 if that fails."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python tries again at its end, and complains
        return status or _fail(f"standard output: cannot be written: {error.strerror}", 1)
    return status


def _run(arguments: Sequence[str]) -> int:
    try:
        with root.make_context("sdr2hdr", list(arguments)) as context:
            root.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "sdr2hdr"
        return _fail(f"{error.format_message()} See '{where} --help'.", 2)
    except Sdr2HdrError as error:
        return _fail(str(error), error.status)
    except ImportError as error:
        if any(words in str(error) for words in ("failed to map segment", "annot allocate memory")):
            return _fail(f"not enough memory to load the libraries ({error}); close other programs", 1)
        return _fail(f"the installation is not complete ({error}); install sdr2hdr again", 3)
    except BrokenPipeError:
        raise  # whoever read has enough
    except OSError as error:
        place = error.filename or "standard output"
        return _fail(f"{place}: {error.strerror or error}; check the path and the disk", 1)
    except MemoryError:
        return _fail("not enough memory; try a smaller --work-size or a smaller picture", 1)
    return 0


def _fail(message: str, status: int) -> int:
    click.echo(f"sdr2hdr: error: {' '.join(message.split())}", err=True)
    return status


def _die(number: int) -> NoReturn:
    """End this process by a signal, so that shells and other callers see what happened."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if writer := sys.modules.get("sdr2hdr.formats._atomic"):
        writer.discard_parts()  # of threads that nobody has waited for
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # not reached where signals end processes
