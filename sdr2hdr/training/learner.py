"""The nets while they learn: rounding, moving average, optimiser, critics; one step at a time."""

import math

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from sdr2hdr.device import round_bodies
from sdr2hdr.errors import TrainingError
from sdr2hdr.training import state
from sdr2hdr.training.adversary import Adversary
from sdr2hdr.training.chain import ORDER, Chain
from sdr2hdr.training.crops import Layers
from sdr2hdr.training.distributed import World
from sdr2hdr.training.losses_coarse import Views
from sdr2hdr.training.meter import Meter
from sdr2hdr.training.mixed import Average, masters, train_rounded
from sdr2hdr.training.stages import Stage, Terms, terms

AVERAGE = 0.998
WARM_UP = 50  # steps
LEAST_RATE = 0.02  # of the stage's rate, at the end of the cosine
BETAS = (0.9, 0.99)  # of AdamW
LARGEST_GRADIENT = 1.0  # norm


def rate_at(done: float, step: int, rate: float) -> float:
    """Learning rate: warm-up, then a cosine; `done` is the part of the run that is over, [0, 1]."""
    cosine = LEAST_RATE + (1 - LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1, done)))
    return rate * min(1, (step + 1) / WARM_UP) * cosine


class _Objective(nn.Module):
    """Batch -> terms of the loss, as the one call that DistributedDataParallel listens to."""

    def __init__(self, stage: Stage, chain: Chain, adversary: Adversary | None) -> None:
        super().__init__()
        self.stage, self.chain = stage, chain
        self._adversary = (adversary,)  # in a tuple, for its parameters are not this module's

    def forward(self, batch: Views | Layers) -> Terms:
        return terms(self.stage, self.chain, batch, self._adversary[0])


class Learner:
    """A chain of which one stage trains a part.

    chain : the three nets, in place; precision : "fp32" or "bf16", of the heavy layers (masters stay float32)
    average : what is evaluated and saved
    """

    def __init__(self, chain: Chain, stage: Stage, precision: str, world: World) -> None:
        self.chain, self.stage, self.world = chain.to(world.device), stage, world
        names = [name for name, _ in chain.named_parameters() if stage.trains(name)]
        self.average = Average(chain, AVERAGE, names)
        self.adversary = Adversary().to(world.device) if stage.critics else None
        for role in ORDER:
            net: nn.Module = getattr(chain, role)
            if role in stage.roles:
                net.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
                if precision == "bf16":
                    train_rounded(net)
            elif precision == "bf16":
                round_bodies(net)
                round_bodies(getattr(self.average.net, role))
        self.parameters: dict[str, nn.Parameter] = {}
        for name, parameter in masters(chain).items():
            parameter.requires_grad_(stage.trains(name))
            if parameter.requires_grad:
                self.parameters[name] = parameter
        self.optimizer = torch.optim.AdamW(
            self.parameters.values(), lr=stage.rate, betas=BETAS, weight_decay=0
        )
        self.objective: nn.Module = _Objective(stage, chain, self.adversary)
        if world.size > 1:
            self.objective = DistributedDataParallel(self.objective)

    def learn(self, batch: Views | Layers, rate: float, seed: int, meter: Meter) -> dict[str, float]:
        """One step; the terms of its loss. Dropout and the losses draw from `seed` alone.

        Raises
        ------
        TrainingError
            The loss is no number; nothing has been changed by it.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(seed)
        with meter.section("forward"):
            found: Terms = self.objective(batch)
            total = torch.stack(list(found.values())).sum()
            if self.world.any(not bool(torch.isfinite(total))):
                raise TrainingError("the loss is no number")
        with meter.section("backward"):
            self.optimizer.zero_grad(set_to_none=True)
            total.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.parameters.values(), LARGEST_GRADIENT)
            self.optimizer.step()
            self.average.update(self.chain)
        values = {name: float(term.detach()) for name, term in found.items()}
        if self.adversary:
            with meter.section("critics"):
                values |= self.adversary.learn(self.world)
        return values

    def tensors(self) -> state.Tensors:
        """All that a resumed training needs, by name."""
        tensors: state.Tensors = {f"net/{name}": p for name, p in self.parameters.items()}
        tensors |= {f"average/{name}": p for name, p in self.average.parameters.items()}
        tensors |= state.pack(self.optimizer, "moments")
        if self.adversary:
            tensors |= {f"critics/{name}": p for name, p in self.adversary.named_parameters()}
            tensors |= state.pack(self.adversary.optimizer, "critics.moments")
        return tensors

    @torch.no_grad()
    def restore(self, tensors: state.Tensors, steps: int) -> None:
        """Go on from what `tensors` gave after so many steps.

        Raises
        ------
        KeyError
            They are of another net or stage.
        """
        for name, parameter in self.parameters.items():
            parameter.copy_(tensors[f"net/{name}"])
        for name, parameter in self.average.parameters.items():
            parameter.copy_(tensors[f"average/{name}"])
        self.average.count = steps
        state.unpack(self.optimizer, "moments", tensors)
        if self.adversary:
            for name, parameter in self.adversary.named_parameters():
                parameter.copy_(tensors[f"critics/{name}"])
            state.unpack(self.adversary.optimizer, "critics.moments", tensors)
