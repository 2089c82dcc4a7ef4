"""What to read and what to write: one picture, any number of files."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sdr2hdr import formats
from sdr2hdr.image import PQ_PEAK_NITS
from sdr2hdr.settings import Settings

DEFAULT_FORMAT = "exr"
EYES = {
    "preview": ".preview.png",
    "tonemap": ".sdr.jpg",
}  # for screens that are not HDR; their suffixes in folders


@dataclass(frozen=True)
class Output:
    """One file of a picture.

    target : path, or None for standard output
    format : name of the format to write, or one of `EYES`
    look, peak_nits : instead of those in the settings; None: as there
    """

    target: Path | None
    format: str = DEFAULT_FORMAT
    look: str | None = None
    peak_nits: float | None = None

    def settings(self, given: Settings) -> Settings:
        """The settings that this file is made with."""
        look = given.look if self.look is None else self.look
        return replace(
            given, look=look, peak_nits=given.peak_nits if self.peak_nits is None else self.peak_nits
        )

    @property
    def encoder(self) -> Any:
        """What writes it: a module of `formats`, or something with the same interface."""
        if self.format == "preview":
            from sdr2hdr import preview

            return preview
        if self.format == "tonemap":
            from sdr2hdr import rendition

            return rendition.writer(self.target.suffix if self.target else "")
        return formats.encoder(self.format)


@dataclass(frozen=True)
class Job:
    """What to read and what to write; can be sent to another process.

    source : path, or None for standard input
    target, format, look, peak_nits : the first file, as in `Output`
    options : of the writers
    max_pixels : larger pictures are refused
    overwrite : replace targets that exist
    more : files besides the first
    """

    source: Path | None
    target: Path | None
    format: str = DEFAULT_FORMAT
    options: formats.EncodeOptions = field(default_factory=formats.EncodeOptions)
    max_pixels: int = formats.MAX_PIXELS
    overwrite: bool = False
    more: tuple[Output, ...] = ()
    look: str | None = None
    peak_nits: float | None = None

    @property
    def source_name(self) -> str:
        """What messages call the picture."""
        return str(self.source) if self.source else "standard input"

    @property
    def outputs(self) -> tuple[Output, ...]:
        """All files, the first one first."""
        return (Output(self.target, self.format, self.look, self.peak_nits), *self.more)

    def only(self, outputs: Iterable[Output]) -> "Job":
        """The same picture, written to these alone; at least one."""
        first, *rest = outputs
        return replace(
            self,
            target=first.target,
            format=first.format,
            look=first.look,
            peak_nits=first.peak_nits,
            more=tuple(rest),
        )


def methods(outputs: Iterable[Output], settings: Settings) -> dict[Settings, list[Output]]:
    """Files by the computation that they share: at the highest peak, from which every lower one is made."""
    found: dict[Settings, list[Output]] = {}
    for output in outputs:
        method = replace(output.settings(settings), peak_nits=PQ_PEAK_NITS)
        found.setdefault(method, []).append(output)
    return found
