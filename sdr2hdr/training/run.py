"""What a training run is told: one frozen dataclass, from which the options of every command line are made."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

STAGES = ("pool", "base-coarse", "base-judge", "base", "detail-partial", "detail-context", "refine", "joint")


def _option(words: str, **more: Any) -> dict[str, Any]:
    """What the command lines show of a field and check: `choices`, `least` (smallest value)."""
    return {"help": words, **more}


@dataclass(frozen=True)
class Run:
    """One run of one stage; the help of every field says what it is."""

    stage: str = field(metadata=_option("Stage to train.", choices=STAGES))
    data: Path = field(metadata=_option("Folder of HDR pictures (.exr, .hdr, .jp2 in PQ)."))
    out: Path = field(metadata=_option("Folder for state, log and archives; run again to resume."))
    weights: Path | None = field(
        default=None,
        metadata=_option("Archives to go on from where OUT has none. [default: those of the package]"),
    )
    validation: tuple[Path, ...] = field(
        default=(),
        metadata=_option("Folder of pairs NAME_sdr.png, NAME_hdr.exr; may be given several times."),
    )
    look: str = field(
        default="scene", metadata=_option("Look that is trained.", choices=("scene", "display"))
    )
    steps: int | None = field(default=None, metadata=_option("Instead of the stage's own.", least=1))
    minutes: float | None = field(
        default=None,
        metadata=_option(
            "End after so many minutes, whatever the steps; the rate falls with time.", least=0.01
        ),
    )
    rate: float | None = field(
        default=None, metadata=_option("Learning rate, instead of the stage's own.", least=0)
    )
    seed: int = field(default=0, metadata=_option("Of everything drawn.", least=0))
    device: str = field(default="auto", metadata=_option("auto, cpu, cuda, cuda:1."))
    precision: str = field(
        default="auto", metadata=_option("Of the nets' heavy layers.", choices=("auto", "fp32", "bf16"))
    )
    every: int = field(
        default=250, metadata=_option("Steps between figures on the validation folders.", least=1)
    )
    keep: float = field(default=3.0, metadata=_option("Minutes between checkpoints.", least=0))
    pool: Path | None = field(
        default=None, metadata=_option("Folder of decomposed views. [default: OUT/pool]")
    )
    pool_views: int = field(
        default=700, metadata=_option("Views in each of the pool's two aspects; 3.2 MB a view.", least=8)
    )
    pool_side: int = field(default=480, metadata=_option("Long side of the pool's views, pixels.", least=64))
    refresh: float = field(
        default=20.0,
        metadata=_option("Views of the pool that are replaced a minute, in the background.", least=0),
    )
    side: int = field(
        default=320,
        metadata=_option("Long side of the views of base-coarse and base-judge, pixels.", least=64),
    )
    workers: int = field(
        default=1, metadata=_option("Processes that prepare batches, per process that trains.", least=0)
    )

    @property
    def pool_folder(self) -> Path:
        """Where the decomposed views are."""
        return self.pool or self.out / "pool"


def option_fields() -> list[Any]:
    """Fields of `Run` that are options of a command line, in order: all but the stage."""
    return [f for f in fields(Run) if f.name != "stage"]
