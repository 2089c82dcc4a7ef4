"""Training in bfloat16 exactly as inference runs it: weights of `body` rounded, masters and everything else float32."""

import copy

import torch
from torch import nn
from torch.nn.utils import parametrize

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


class Average:
    """Exponential moving average of a net's masters, in a plain net that can be evaluated and saved."""

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.net = copy.deepcopy(net).eval()
        self.decay, self.count = decay, 0

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Take in the net's present state; the first steps count more."""
        self.count += 1
        keep = min(self.decay, self.count / (self.count + 9))
        sources = masters(net)
        for name, parameter in self.net.named_parameters():
            parameter.lerp_(sources[name], 1 - keep)
