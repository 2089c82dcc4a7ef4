"""The loop of every stage: batches, steps, log, figures, checkpoints, resuming; alone or with other processes."""

import json
import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch

from sdr2hdr import device as devices
from sdr2hdr.errors import InputError, TrainingError
from sdr2hdr.mask import soft_mask
from sdr2hdr.training import archives, state
from sdr2hdr.training.chain import reconstruct, thresholds
from sdr2hdr.training.crops import Crops, Layers, layers
from sdr2hdr.training.distributed import World, join, leave
from sdr2hdr.training.feed import Maps, feed
from sdr2hdr.training.filling import fill, refresher
from sdr2hdr.training.health import activations
from sdr2hdr.training.learner import Learner, rate_at
from sdr2hdr.training.losses_coarse import Views
from sdr2hdr.training.meter import Meter
from sdr2hdr.training.pictures import Picture, held_out, load_pictures
from sdr2hdr.training.pool import ASPECTS, CHUNK, Pool
from sdr2hdr.training.progress import bar
from sdr2hdr.training.run import Run
from sdr2hdr.training.shots import Shots, sampling_of
from sdr2hdr.training.stages import STAGES, Stage
from sdr2hdr.training.validation import pairs, validate

log = logging.getLogger(__name__)

Figures = dict[str, dict[str, float]]


def train(run: Run, tell: Callable[[str], None] = log.info) -> Figures:
    """Train one stage, or fill the pool; resume where a former call was broken off. Returns the last figures.

    Raises
    ------
    TrainingError
        A loss that is no number.
    InputError
        Pictures missing or unreadable, or a damaged state.
    UsageError
        A pool of other settings, or a device that is not there.
    """
    device = devices.choose(run.device)
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.set_flush_denormal(True)
    world = join(device)
    try:
        pictures, _ = held_out(load_pictures(run.data, run.look))
        run.out.mkdir(parents=True, exist_ok=True)
        if run.stage == "pool":
            fill_pool(run, pictures, world)
            return {}
        return Trainer(run, pictures, world, tell).train()
    finally:
        leave(world)


def pool_of(run: Run) -> Pool:
    """The run's pool."""
    return Pool(run.pool_folder, run.pool_views, run.pool_side, run.seed, run.look)


def stage_of(run: Run) -> Stage:
    """The run's stage, with the run's changes."""
    stage = STAGES[run.stage]
    return replace(stage, steps=run.steps or stage.steps, rate=run.rate or stage.rate)


def fill_pool(run: Run, pictures: list[Picture], world: World) -> None:
    """Fill the run's pool, or what is missing of it, on all cores, the nets' GPU included."""
    pool = pool_of(run)
    if world.first and any(None in row for row in pool.state().chunks):
        workers = max(run.workers, multiprocessing.cpu_count() - 1) if run.workers else 0
        with bar("pool", len(ASPECTS) * pool.chunks * CHUNK) as line:
            there = 0
            for done in fill(pool, pictures, sampling_of(run.look), world.device, workers):
                line.update(done - there)
                there = done
    world.wait()


class Trainer:
    """One run of one stage, over `pictures`."""

    def __init__(
        self, run: Run, pictures: list[Picture], world: World, tell: Callable[[str], None] = log.info
    ) -> None:
        self.run, self.pictures, self.world, self.tell = run, pictures, world, tell
        self.stage = stage_of(run)
        if self.stage.loss:
            fill_pool(run, pictures, world)
        torch.manual_seed(run.seed)
        chain, self.arguments = archives.chain(run)
        self.learner = Learner(chain, self.stage, devices.precision(run.precision, world.device), world)
        self.step, self.seconds, self.done = 0, 0.0, 0.0
        self.folder = run.out / f"{run.stage}.state"
        if found := state.load(self.folder):
            try:
                self.learner.restore(found[0], found[1]["step"])
                self.step, self.seconds = found[1]["step"], found[1]["seconds"]
            except (KeyError, RuntimeError) as error:
                raise InputError(
                    f"{self.folder}: state of another net ({error}); delete it to begin anew"
                ) from error
        self._tick()

    def _tick(self) -> None:
        """How far the run is, [0, 1]: by its time if it has one, else by its steps."""
        if self.run.minutes:
            self.done = self.world.largest(self.seconds / 60 / self.run.minutes)
        else:
            self.done = self.step / self.stage.steps

    def train(self) -> Figures:
        """Train to the end; returns the last figures."""
        figures: Figures = {}
        refreshing = None
        if self.stage.loss and self.world.first:
            refreshing = refresher(
                pool_of(self.run), self.pictures, sampling_of(self.run.look), self.run.refresh
            )
        meter, kept, begun = Meter(), self.seconds, time.monotonic() - self.seconds
        batches = self._batches(meter)
        try:
            with self._bar() as advance:
                while self.done < 1:
                    meter.add(self._learn(next(batches), meter))
                    self.step += 1
                    self.seconds = time.monotonic() - begun
                    self._tick()
                    if self.done >= 1 or self.step % self.run.every == 0:
                        with meter.section("figures"):
                            figures = self._figures()
                        self._keep(figures)
                        self._log(meter, figures)
                        meter.reset()
                        kept = self.seconds
                    elif self.seconds - kept > 60 * self.run.keep:
                        self._keep(figures)
                        kept = self.seconds
                    advance(meter.words())
        finally:
            if refreshing:
                refreshing.terminate()
        return figures

    def _learn(self, batch: Views | Layers, meter: Meter) -> dict[str, float]:
        rate = rate_at(self.done, self.step, self.stage.rate)
        seed = (self.run.seed << 32) + self.step * self.world.size + self.world.rank
        try:
            return self.learner.learn(batch, rate, seed, meter)
        except TrainingError as error:
            raise TrainingError(
                f"{self.run.stage}, step {self.step}: {error}; the last good state is in {self.folder}, go on from it "
                f"with a lower --rate"
            ) from None

    def _batches(self, meter: Meter) -> Iterator[Views | Layers]:
        run, stage, world = self.run, self.stage, self.world
        source: Shots | Crops
        if stage.loss is None:
            sampling = sampling_of(run.look, run.side)
            if stage.negatives is not None:
                sampling = replace(sampling, negatives=stage.negatives)
            source = Shots(self.pictures, stage.views, run.seed, sampling)
        else:
            source = Crops(pool_of(run), stage.views, stage.windows, stage.crop, run.seed)
        first = self.step * world.size + world.rank
        maps = feed(source, first, world.size, run.workers, pinned=world.device.type == "cuda")
        while True:
            with meter.section("data"):
                drawn = next(maps)
            with meter.section("layers"):
                batch = self._batch(drawn)
            meter.pixels += batch.signal.numel() // 3 * world.size
            yield batch

    def _batch(self, maps: Maps) -> Views | Layers:
        if self.stage.loss:
            return layers(maps, self.learner.average.net.base, self.stage.crop, self.world.device)
        maps = {name: values.to(self.world.device, non_blocking=True) for name, values in maps.items()}
        signal = maps["codes"].float() / 255
        return Views(signal, soft_mask(signal, thresholds(signal)), maps["pq"].float(), maps["real"])

    @contextmanager
    def _bar(self) -> Iterator[Callable[[str], None]]:
        """The run's bar, in steps or in thousandths of its time; what it gives moves it on."""
        total = 1000 if self.run.minutes else self.stage.steps
        at = min(total, round(self.done * total))
        with bar(self.run.stage, total, at, self.world.first) as line:

            def advance(words: str) -> None:
                nonlocal at
                now = min(total, round(self.done * total))
                line.set_postfix_str(words, False)
                line.update(now - at)
                at = now

            yield advance

    def _figures(self) -> Figures:
        """Figures on every validation folder, with the averaged nets up to those that this stage trains."""
        net, device, found = self.learner.average.net, self.world.device, {}

        def predict(signal: torch.Tensor) -> torch.Tensor:
            return reconstruct(net, signal.to(device), self.stage.through).cpu()

        if self.world.first:
            found = {folder.name: validate(predict, folder) for folder in self.run.validation}
        self.world.wait()
        return found

    def _log(self, meter: Meter, figures: Figures) -> None:
        """A line of the log: what it cost, what it brought, and whether every level of the nets is alive."""
        if not self.world.first:
            return
        facts = {"stage": self.run.stage, "look": self.run.look, "step": self.step}
        row: dict[str, Any] = {**facts, "minutes": round(self.seconds / 60, 2), **meter.row()}
        row["figures"] = {f: {k: round(v, 4) for k, v in r.items()} for f, r in figures.items()}
        self.tell(json.dumps(row))
        if self.run.validation:
            signal = pairs(self.run.validation[0])[0][1].to(self.world.device)
            row["activations"] = activations(self.learner.average.net, signal, self.stage.through)
        with (self.run.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")

    def _keep(self, figures: Figures) -> None:
        """State to resume from, and the averaged nets as archives."""
        if not self.world.first:
            return
        state.save(self.folder, self.learner.tensors(), {"step": self.step, "seconds": self.seconds})
        archives.save(self.run, self.stage, self.learner.average.net, self.arguments, self.step, figures)
