"""Loss of the coarse scale: the display look's judge."""

import numpy as np
import pytest
import torch

from sdr2hdr.camera import Compression, to_709
from sdr2hdr.color.transfer import pq_encode
from sdr2hdr.networks.base import BaseNet
from sdr2hdr.training import losses_coarse
from sdr2hdr.training.losses_coarse import Views, brightest_excess, coarse_loss, sure_loss
from sdr2hdr.training.negatives import negative

SIZE = (96, 128)


def _views(seed: int, lamp: float) -> Views:
    """One drawn picture without a highlight; `lamp` is what a patch of 12 pixels is multiplied by in the reference."""
    shot = negative(SIZE, np.random.default_rng(seed), Compression())
    light, codes = shot.light.copy(), shot.codes.copy()
    if lamp > 1:
        codes[20:32, 20:32] = 255
        light[20:32, 20:32] = lamp
    signal = torch.from_numpy(codes.astype(np.float32) / 255).permute(2, 0, 1)[None]
    pq = pq_encode(torch.from_numpy(to_709(light)).permute(2, 0, 1)[None] * 203)
    return Views(signal, ((signal - 0.9) / 0.1).clamp(min=0), pq, torch.tensor([False]))


def _excess(views: Views) -> float:
    every_second = [t[..., ::2, ::2] for t in (views.pq, BaseNet().tone.direct(views.signal), views.signal)]
    return float(brightest_excess(*every_second)[0])


@pytest.mark.parametrize("seed", range(12))
def test_a_small_lamp_tells(seed: int) -> None:
    assert _excess(_views(seed, 1)) < losses_coarse.QUIET_EXCESS / 2
    assert _excess(_views(seed, 4)) > losses_coarse.LIVELY_EXCESS


def test_hinges() -> None:
    quiet, lively = torch.tensor([0.0]), torch.tensor([0.1])
    doubtful = torch.tensor([0.02])
    for sure, excess, expected in [
        (1.5, lively, 0.0),
        (0.25, lively, 0.75),
        (-0.5, quiet, 0.0),
        (0.2, quiet, 0.5),
        (0.2, doubtful, 0.0),
    ]:
        assert float(sure_loss(torch.tensor([[sure]]), excess)) == pytest.approx(expected)


def test_a_picture_without_highlights_teaches_the_judge_alone() -> None:
    net = BaseNet(display=True).train()
    sum(coarse_loss(net, _views(0, 1)).values()).backward()  # type: ignore[union-attr]
    taught = {
        name for name, p in net.coarse_net.named_parameters() if p.grad is not None and bool(p.grad.any())
    }
    assert taught == {"sure.4.weight", "sure.4.bias"}  # its last layer begins at zero
    net.zero_grad()
    sum(coarse_loss(net, _views(0, 8)).values()).backward()  # type: ignore[union-attr]
    assert bool(net.coarse_net.knots.bias.grad.any())  # type: ignore[union-attr]
    assert bool(net.coarse_net.levels.bias.grad.any())  # type: ignore[union-attr]


def test_doubt_gives_the_direct_mapping_exactly() -> None:
    net = BaseNet(display=True, fine=False).eval()
    for parameter in (net.coarse_net.knots.bias, net.coarse_net.levels.bias):
        torch.nn.init.constant_(parameter, 0.05)
    signal = _views(1, 8).signal
    soft = ((signal - 0.9) / 0.1).clamp(min=0)
    with torch.no_grad():
        raised, knots = net(signal, signal, soft)
        assert bool((raised > net.mapped(signal, knots * 0) + 0.02).any())
        assert not bool(knots[..., :7].any())
        net.coarse_net.sure[-1].bias.fill_(-1.5)  # type: ignore[index, operator, union-attr]
        raised, knots = net(signal, signal, soft)
        assert not bool(knots.any())
        assert torch.equal(raised, net.mapped(signal, knots))
