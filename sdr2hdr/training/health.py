"""Whether the nets are alive: the spread of the features of every level. (PSNR hid nets whose deep levels had died.)"""

import torch
from torch import nn

from sdr2hdr.networks.partial import PartialConv2d
from sdr2hdr.networks.unet import ResidualBlock
from sdr2hdr.training.chain import Chain, reconstruct

DEAD = 1e-3  # a channel whose sd over the picture is below this share of the layer's says nothing


def _spread(features: torch.Tensor) -> tuple[float, float]:
    """Sd of the features (N, C, H, W) within channels, and the share of channels that are dead."""
    sd = features.detach().float().flatten(2).std(-1).mean(0)
    mean = float(sd.mean())
    return mean, float((sd <= DEAD * max(mean, 1e-12)).float().mean())


@torch.no_grad()
def activations(chain: Chain, signal: torch.Tensor, through: str) -> dict[str, list[float]]:
    """Name of every block of the chain -> [sd of its output, share of dead channels] on one picture (1, 3, H, W)."""
    found: dict[str, list[float]] = {}
    hooks = []

    def listen(name: str, block: nn.Module) -> None:
        def hear(block: nn.Module, inputs: object, output: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
            features = output[0] if isinstance(output, tuple) else output
            found[name] = [round(value, 5) for value in _spread(features)]

        hooks.append(block.register_forward_hook(hear))

    context = chain.detail.body.context
    for name, block in chain.named_modules():
        inside = isinstance(block, nn.Conv2d) and any(block is m for m in context.modules())
        if isinstance(block, ResidualBlock | PartialConv2d) or inside:
            listen(name.replace("body.", ""), block)
    try:
        reconstruct(chain, signal, through)
    finally:
        for hook in hooks:
            hook.remove()
    return found
