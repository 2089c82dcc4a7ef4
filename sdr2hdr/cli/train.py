"""sdr2hdr train: one stage of the training, on anyone's HDR pictures."""

import logging
from pathlib import Path

import click

STAGES = ("pool", "base-coarse", "base", "detail-partial", "detail-context", "refine")


@click.command()
@click.argument("stage", type=click.Choice(STAGES))
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder of HDR pictures (.exr, .hdr).",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for state, log and archives.",
)
@click.option(
    "--pool",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of decomposed views. [default: OUT/pool]",
)
@click.option(
    "--pool-views",
    type=click.IntRange(8),
    default=800,
    show_default=True,
    help="Views in each of the pool's two aspects; 3 MB a view.",
)
@click.option(
    "--validation",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="Folder of pairs NAME_sdr.png, NAME_hdr.exr; may be given several times.",
)
@click.option(
    "--weights",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Archives to go on from where OUT has none.",
)
@click.option("--look", default="scene", show_default=True, help="Name of the look that is trained.")
@click.option("--steps", type=click.IntRange(1), help="Instead of the stage's own.")
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), help="Learning rate, instead of the stage's own."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything drawn.")
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16"]),
    default="auto",
    show_default=True,
    help="Of the nets' heavy layers.",
)
@click.option(
    "--every",
    type=click.IntRange(1),
    default=250,
    show_default=True,
    help="Steps between figures and checkpoints.",
)
def command(
    stage: str,
    data: Path,
    out: Path,
    pool: Path | None,
    pool_views: int,
    validation: tuple[Path, ...],
    weights: Path | None,
    look: str,
    steps: int | None,
    rate: float | None,
    seed: int,
    precision: str,
    every: int,
) -> None:
    """Train one STAGE; run again to resume.

    Order: base-coarse, pool, base, detail-partial, detail-context, refine. Every stage reads the archives of the former
    ones from OUT, or from --weights, and writes LOOK-ROLE.pt there. `pool` fills the folder of decomposed views that
    all stages but base-coarse read.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    from sdr2hdr import checkpoint, device

    device.tune_allocator()
    from sdr2hdr.training import trainer
    from sdr2hdr.training.pool import Pool

    run = trainer.Run(
        stage=stage,
        data=data,
        out=out,
        pool=Pool(pool or out / "pool", pool_views, seed=seed),
        weights=weights or checkpoint.shipped(),
        validation=validation,
        look=look,
        steps=steps,
        rate=rate,
        seed=seed,
        precision=device.precision(precision, device.choose("cpu")),
        every=every,
    )
    if stage == "pool":
        trainer.fill_pool(run)
    else:
        trainer.train(run, progress=click.echo)
