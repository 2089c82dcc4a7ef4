"""Training in bfloat16 exactly as inference runs it: weights of `body` rounded, masters and everything else float32."""

import copy
from collections.abc import Iterable
from typing import Generic, TypeVar

import torch
from torch import nn
from torch.nn.utils import parametrize

Net = TypeVar("Net", bound=nn.Module)
_ORIGINAL = "parametrizations."


class _Rounded(nn.Module):
    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight.to(torch.bfloat16)


def train_rounded(net: nn.Module) -> None:
    """Let every parameter inside a sub-module named `body` be seen as bfloat16, with a float32 master behind it."""
    for name, module in list(net.named_modules()):
        if "body" in name.split("."):
            for parameter in [p for p, _ in module.named_parameters(recurse=False)]:
                parametrize.register_parametrization(module, parameter, _Rounded(), unsafe=True)


def masters(net: nn.Module) -> dict[str, nn.Parameter]:
    """float32 parameters by the names that they have in a plain net."""
    found = {}
    for name, parameter in net.named_parameters():
        if _ORIGINAL in name:
            name = name.replace(_ORIGINAL, "").removesuffix(".original")
        found[name] = parameter
    return found


class Average(Generic[Net]):
    """Exponential moving average of those of a net's masters that are trained, in a plain net to evaluate and save."""

    def __init__(self, net: Net, decay: float, names: Iterable[str]) -> None:
        self.net: Net = copy.deepcopy(net).eval()
        self.decay, self.count = decay, 0
        self.parameters = {name: p for name, p in self.net.named_parameters() if name in set(names)}

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Take in the net's present state; the first steps count more."""
        self.count += 1
        keep = min(self.decay, self.count / (self.count + 9))
        sources = masters(net)
        for name, parameter in self.parameters.items():
            parameter.lerp_(sources[name], 1 - keep)
