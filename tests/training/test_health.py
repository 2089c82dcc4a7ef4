"""A dead level shows."""

import torch
from small_training import SMALL_NETS

from sdr2hdr.networks import ROLES
from sdr2hdr.training.chain import Chain
from sdr2hdr.training.health import activations


def test_every_block_reports_and_a_dead_one_shows() -> None:
    torch.manual_seed(0)
    chain = Chain(*(net(**SMALL_NETS[role]) for role, net in ROLES.items())).eval()  # type: ignore[arg-type]
    signal = torch.rand(1, 3, 64, 96)
    alive = activations(chain, signal, "refine")
    assert {name.partition(".")[0] for name in alive} == {"base", "detail", "refine"}
    assert alive["refine.unet.encoders.1"][0] > 1e-3
    assert alive["refine.unet.encoders.1"][1] < 0.5
    with torch.no_grad():
        for parameter in chain.refine.unet.body.downs[0].parameters():
            parameter.zero_()
        for parameter in chain.refine.unet.body.encoders[1].parameters():
            parameter.zero_()
    dead = activations(chain, signal, "refine")
    assert dead["refine.unet.encoders.1"] == [0.0, 1.0]
    assert "refine.unet.encoders.1" not in activations(chain, signal, "base")
    assert not any(module._forward_hooks for module in chain.modules())
