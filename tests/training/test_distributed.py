"""Two processes that train together, under torchrun, on the CPU."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from sdr2hdr.training import state
from sdr2hdr.training.adversary import Adversary
from sdr2hdr.training.distributed import World
from sdr2hdr.training.learner import Learner, rate_at
from sdr2hdr.training.meter import Meter
from sdr2hdr.training.pictures import held_out, load_pictures
from sdr2hdr.training.run import Run
from sdr2hdr.training.trainer import Trainer

RATE = 1e-9  # so that gradients of later steps do not depend on the rounding of former ones: Adam's steps are signs


@pytest.mark.parametrize(("stage", "steps"), [("base-coarse", 3), ("refine", 3), ("detail-context", 1)])
def test_two_processes_train_as_one_with_both_batches(run: Run, stage: str, steps: int) -> None:
    run = replace(run, stage=stage, steps=steps, every=steps, rate=RATE, validation=())
    together = replace(run, out=run.out / "together")
    options = {
        "data": together.data,
        "out": together.out,
        "weights": together.weights,
        "pool": together.pool,
        "steps": steps,
        "every": steps,
        "rate": RATE,
        "precision": "fp32",
        "device": "cpu",
        "pool-views": 8,
        "pool-side": 64,
        "side": 64,
        "refresh": 0,
        "workers": 0,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*launch, "-m", "sdr2hdr.training", stage, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = (together.out / "log.jsonl").read_text().splitlines()
    assert len(rows) == 1  # one process writes
    assert json.loads(rows[0])["step"] == steps

    expected = _by_hand(run).tensors()
    found = state.load(together.out / f"{stage}.state")
    assert found
    assert found[0].keys() == expected.keys()
    for name in (name for name in expected if name.endswith("exp_avg")):
        tolerance = 1e-4 * float(expected[name].abs().max()) + 1e-9
        torch.testing.assert_close(found[0][name], expected[name], atol=tolerance, rtol=1e-3)


def _by_hand(run: Run) -> Learner:
    """The same steps in one process: gradients of both batches averaged."""
    trainer = Trainer(run, held_out(load_pictures(run.data))[0], World(0, 1, torch.device("cpu")))
    learner = trainer.learner
    batches = trainer._batches(Meter())
    for step in range(learner.stage.steps):
        found, critics = [], []
        for rank in range(2):
            batch = next(batches)
            torch.manual_seed((run.seed << 32) + step * 2 + rank)
            terms = learner.objective(batch)
            learner.optimizer.zero_grad()
            torch.stack(list(terms.values())).sum().backward()
            found.append([p.grad.clone() for p in learner.parameters.values() if p.grad is not None])
            if learner.adversary:
                critics.append(_critic_gradients(learner.adversary))
        for parameter, a, b in zip(learner.parameters.values(), *found, strict=True):
            parameter.grad = (a + b) / 2
        torch.nn.utils.clip_grad_norm_(learner.parameters.values(), 1.0)
        for group in learner.optimizer.param_groups:
            group["lr"] = rate_at(step / learner.stage.steps, step, learner.stage.rate)
        learner.optimizer.step()
        learner.average.update(learner.chain)
        if learner.adversary:
            for parameter, a, b in zip(learner.adversary.parameters(), *critics, strict=True):
                parameter.grad = (a + b) / 2
            learner.adversary.optimizer.step()
    return learner


def _critic_gradients(adversary: Adversary) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []

    class Caught(World):
        def mean_gradients(self, parameters: object) -> None:
            found.extend(p.grad.clone() for p in adversary.parameters() if p.grad is not None)
            raise StopIteration

    with pytest.raises(StopIteration):
        adversary.learn(Caught(0, 1, torch.device("cpu")))
    return found
