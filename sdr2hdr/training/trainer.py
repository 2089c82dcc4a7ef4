"""One loop for every stage: steps, moving average, log, figures, checkpoints, resuming."""

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from sdr2hdr import checkpoint
from sdr2hdr.device import round_bodies
from sdr2hdr.errors import TrainingError
from sdr2hdr.mask import soft_mask
from sdr2hdr.networks import ROLES
from sdr2hdr.networks.base import BaseNet
from sdr2hdr.networks.inpaint import DetailNet
from sdr2hdr.networks.unet import RefineNet
from sdr2hdr.training.chain import Chain, reconstruct, thresholds
from sdr2hdr.training.crops import Crops
from sdr2hdr.training.losses_coarse import coarse_loss
from sdr2hdr.training.mixed import Average, masters, train_rounded
from sdr2hdr.training.pictures import held_out, load_pictures
from sdr2hdr.training.pool import Pool
from sdr2hdr.training.shots import Sampling, Shots
from sdr2hdr.training.stages import STAGES, Stage, Terms
from sdr2hdr.training.validation import validate

log = logging.getLogger(__name__)
AVERAGE = 0.998
WARM_UP = 50  # steps


@dataclass(frozen=True)
class Run:
    """One run of one stage.

    data : folder of HDR pictures; pool : folder of decomposed views (made by `fill_pool`; not needed for base-coarse)
    out : folder for state, log and archives; weights : folder of the former stages' archives, `out` first
    validation : folders of pairs NAME_sdr.png, NAME_hdr.exr
    steps, rate : instead of the stage's; every : steps between figures
    """

    stage: str
    data: Path
    out: Path
    pool: Pool
    weights: Path
    validation: tuple[Path, ...] = ()
    look: str = "scene"
    steps: int | None = None
    rate: float | None = None
    seed: int = 0
    precision: str = "bf16"
    every: int = 250
    sampling: Sampling = field(default_factory=Sampling)

    def settings(self) -> Stage:
        """The stage with this run's changes."""
        stage = STAGES[self.stage]
        return replace(stage, steps=self.steps or stage.steps, rate=self.rate or stage.rate)


def former(run: Run, role: str) -> nn.Module:
    """The net of a role as the former stages left it; untrained if there is none."""
    for folder in (run.out, run.weights):
        path = folder / f"{run.look}-{role}.pt"
        if path.exists():
            return checkpoint.rebuild(path)
    return ROLES[role]()


def nets(run: Run) -> Chain:
    """The three nets before this stage."""
    base, detail, refine = (former(run, role) for role in ("base", "detail", "refine"))
    assert isinstance(base, BaseNet)
    assert isinstance(detail, DetailNet)
    assert isinstance(refine, RefineNet)
    return Chain(base.eval(), detail.eval(), refine.eval())


def _coarse_terms(run: Run, stage: Stage, net: BaseNet, step: int) -> Iterator[Terms]:
    train, _ = held_out(load_pictures(run.data, run.look))
    shots = Shots(train, stage.views, run.seed * 100003 + step, run.sampling)
    for batch in DataLoader(shots, batch_size=None, num_workers=1, prefetch_factor=6):
        signal = batch["codes"].float() / 255
        mask = soft_mask(signal, thresholds(signal))
        yield coarse_loss(net, signal, mask, batch["pq"].float(), batch["real"])


def _crop_terms(run: Run, stage: Stage, net: nn.Module, chain: Chain, step: int) -> Iterator[Terms]:
    crops = Crops(run.pool, stage.views, stage.windows, stage.crop, run.seed * 100003 + step)
    loss = stage.loss
    assert loss is not None
    while True:
        yield loss(net, crops.batch(chain.base), chain)


def fill_pool(run: Run) -> None:
    """Fill the run's pool, or what is missing of it."""
    pictures, _ = held_out(load_pictures(run.data, run.look))
    total = 2 * run.pool.views
    with tqdm(total=total, desc="pool", mininterval=5) as bar:
        for done in run.pool.fill(pictures, run.sampling):
            bar.update(done - bar.n)


def rate_at(step: int, stage: Stage) -> float:
    """Learning rate: warm-up, then a cosine down to 2 %."""
    return (
        stage.rate
        * min(1, (step + 1) / WARM_UP)
        * (0.02 + 0.49 * (1 + math.cos(math.pi * step / stage.steps)))
    )


def figures(run: Run, stage: Stage, chain: Chain) -> dict[str, dict[str, float]]:
    """Figures on every validation folder with the nets that exist after this stage."""
    parts = {"base": Chain(chain.base), "detail": Chain(chain.base, chain.detail), "refine": chain}[
        stage.role
    ]
    return {folder.name: validate(lambda s: reconstruct(parts, s), folder) for folder in run.validation}


def train(run: Run, progress: Callable[[str], None] = log.info) -> dict[str, dict[str, float]]:
    """Train one stage; resume from its state in `run.out` if there is one. Returns the last figures.

    Raises
    ------
    TrainingError
        A loss that is no number.
    InputError
        Pictures missing or unreadable.
    """
    run.out.mkdir(parents=True, exist_ok=True)
    stage, state_file = run.settings(), run.out / f"{run.stage}.state"
    torch.manual_seed(run.seed)
    torch.set_flush_denormal(True)
    chain = nets(run)
    net: nn.Module = getattr(chain, stage.role)
    average = Average(net, AVERAGE)
    chain = replace(chain, **{stage.role: average.net})  # type: ignore[arg-type]
    net.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if run.precision == "bf16":
        train_rounded(net)
        for role in ROLES.keys() - {stage.role}:
            round_bodies(getattr(chain, role))
    parameters = masters(net)
    for name, parameter in parameters.items():
        parameter.requires_grad_(name.startswith(stage.trained) if stage.trained else True)
    moving = [p for p in parameters.values() if p.requires_grad]
    optimizer = torch.optim.AdamW(moving, lr=stage.rate, betas=(0.9, 0.99), weight_decay=0)
    step = 0
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        net.load_state_dict(state["net"])
        average.net.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step = average.count = state["step"]
    if isinstance(net, BaseNet) and stage.loss is None:
        batches = _coarse_terms(run, stage, net, step)
    else:
        batches = _crop_terms(run, stage, net, chain, step)
    result: dict[str, dict[str, float]] = {}
    sums: dict[str, float] = {}
    begun = time.monotonic()
    for at in tqdm(range(step, stage.steps), initial=step, total=stage.steps, desc=run.stage, mininterval=5):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(at, stage)
        terms = next(batches)
        total = torch.stack(list(terms.values())).sum()
        if not bool(torch.isfinite(total)):
            raise TrainingError(
                f"{run.stage}: the loss is no number at step {at}; last checkpoint: {state_file}"
            )
        optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(moving, 1.0)
        optimizer.step()
        average.update(net)
        for name, term in terms.items():
            sums[name] = sums.get(name, 0.0) + term.item()
        if (at + 1) % run.every == 0 or at + 1 == stage.steps:
            result = figures(run, stage, chain)
            row = {
                "stage": run.stage,
                "step": at + 1,
                "minutes": round((time.monotonic() - begun) / 60, 2),
                "loss": {name: round(value / run.every, 6) for name, value in sums.items()},
                "figures": result,
            }
            sums = {}
            with (run.out / "log.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
            progress(json.dumps(row))
            _keep(run, stage, net, average, optimizer, at + 1, row)
    return result


def _keep(
    run: Run,
    stage: Stage,
    net: nn.Module,
    average: Average,
    optimizer: torch.optim.Optimizer,
    step: int,
    row: dict[str, object],
) -> None:
    """State to resume from, and the averaged net as an archive."""
    state = {
        "net": net.state_dict(),
        "average": average.net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
    }
    part = run.out / f"{run.stage}.part"
    torch.save(state, part)
    part.replace(run.out / f"{run.stage}.state")
    metadata = {
        "role": stage.role,
        "look": run.look,
        "arguments": {},
        "input": {"base": "Sb, M", "detail": "D'(s) / D'(Sb), M", "refine": "J, D'(s), M"}[stage.role],
        "white_nits": 203,
        "training": {
            "stage": run.stage,
            "step": step,
            "seed": run.seed,
            "settings": {k: v for k, v in asdict(stage).items() if k != "loss"},
        },
        "validation": row["figures"],
    }
    checkpoint.save(run.out / f"{run.look}-{stage.role}.pt", average.net, metadata)
