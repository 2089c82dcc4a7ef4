"""Write docs/cli.md from what `--help` says: python docs/make_cli.py"""

from pathlib import Path

import click

from sdr2hdr import cli, registry

PATH = Path(__file__).with_name("cli.md")
HEAD = "# Commands\n\nWhat `--help` says; made by `docs/make_cli.py`, which a test compares with this page.\n"


def reference() -> str:
    """The page."""
    texts = [_section("sdr2hdr", cli.root)]
    texts += [_section(f"sdr2hdr {name}", registry.get(cli, name).command) for name in registry.names(cli)]
    return HEAD + "".join(texts)


def _section(title: str, command: click.Command) -> str:
    context = click.Context(
        command,
        info_name=title,
        terminal_width=100,
        max_content_width=100,
        help_option_names=["-h", "--help"],
    )
    return f"\n## {title}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


if __name__ == "__main__":
    PATH.write_text(reference(), "utf-8")
