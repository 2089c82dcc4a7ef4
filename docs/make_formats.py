"""Write the table of docs/formats.md from the formats themselves: python docs/make_formats.py"""

import re
from pathlib import Path

from sdr2hdr import formats

PATH = Path(__file__).with_name("formats.md")
PLACE = re.compile(
    r"(?<=<!-- table: made by docs/make_formats.py -->\n).*?(?=<!-- end of the table -->)", re.DOTALL
)


def table() -> str:
    """The table of everything that is written, as Markdown."""
    rows = ["| `--format` | suffixes | what is written | peak, cd/m2 | look |", "|---|---|---|---|---|"]
    for name, module in sorted(formats.writers().items()):
        suffixes = " ".join(f"`{suffix}`" for suffix in module.EXTENSIONS)
        look = getattr(module, "LOOK", "display")
        rows.append(f"| `{name}` | {suffixes} | {module.SUMMARY} | {module.PEAK_NITS:g} | {look} |")
    return "\n".join(rows) + "\n"


def page(old: str) -> str:
    """The page with the table as it should be."""
    return PLACE.sub(lambda _: table(), old)


if __name__ == "__main__":
    PATH.write_text(page(PATH.read_text("utf-8")), "utf-8")
