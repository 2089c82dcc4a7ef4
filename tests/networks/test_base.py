"""B-net, R-net and the tone curve."""

import warnings

import colour
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sdr2hdr.color.tables import table
from sdr2hdr.networks.base import BaseNet
from sdr2hdr.networks.tone import KNOTS, Tone
from sdr2hdr.networks.unet import RefineNet, ResidualUNet

SIZES = [(1, 1), (1, 40), (37, 53), (64, 96)]


def randomised(net: torch.nn.Module, spread: float = 0.05) -> torch.nn.Module:
    torch.manual_seed(0)
    for parameter in net.parameters():
        parameter.data.normal_(0, spread)
    return net.eval()


def picture(size: tuple[int, int], batch: int = 1) -> torch.Tensor:
    return torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(5))


def mask_of(signal: torch.Tensor) -> torch.Tensor:
    return ((signal - 0.9) / 0.1).clamp(0, 1)


def scripted(net: torch.nn.Module) -> torch.nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(net)


def direct_by_colour(signal: np.ndarray) -> np.ndarray:
    """(N, 3) sRGB signal -> PQ, BT.2020, by colour-science alone."""
    linear = colour.eotf(signal, "sRGB") @ table("bt709_to_bt2020").T
    return colour.eotf_inverse(203 * linear, "ST 2084")


def test_direct_mapping_agrees_with_colour_science() -> None:
    s = picture((32, 32))
    expected = direct_by_colour(s[0].flatten(1).T.double().numpy())
    mapped = Tone()(s, torch.zeros(1, 3, KNOTS))[0].flatten(1).T.numpy()
    np.testing.assert_allclose(mapped, expected, atol=2e-6)


@pytest.mark.parametrize("size", SIZES)
def test_untrained_nets_change_nothing(size: tuple[int, int]) -> None:
    s = picture(size, 2)
    base, refine = BaseNet().eval(), RefineNet().eval()
    hdr_base, knots = base(s, s, mask_of(s))
    assert not knots.any()
    torch.testing.assert_close(hdr_base, base.mapped(s, knots), rtol=0, atol=0)
    torch.testing.assert_close(refine(hdr_base, s, mask_of(s)), hdr_base, rtol=0, atol=0)


@pytest.mark.parametrize("size", SIZES)
def test_scripted_equals_eager(size: tuple[int, int]) -> None:
    s = picture(size, 2)
    base, refine = randomised(BaseNet()), randomised(RefineNet())
    for net, inputs in ((base, (s, s.square(), mask_of(s))), (refine, (s, s.sqrt(), mask_of(s)))):
        eager, script = net(*inputs), scripted(net)(*inputs)
        for a, b in zip(*((x if isinstance(x, tuple) else (x,)) for x in (eager, script)), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-6)
    torch.testing.assert_close(
        base.coarse(s, mask_of(s)), scripted(base).coarse(s, mask_of(s)), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(("coarse", "fine"), [(True, False), (False, True), (False, False)])
def test_scales_can_be_switched_off(coarse: bool, fine: bool) -> None:
    s = picture((40, 48))
    net = randomised(BaseNet(coarse=coarse, fine=fine))
    hdr_base, knots = net(s, s, mask_of(s))
    assert bool(knots.any()) == coarse
    if not coarse and not fine:
        torch.testing.assert_close(hdr_base, net.mapped(s, knots), rtol=0, atol=0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 3))
@torch.no_grad()
def test_curves_never_fall(seed: int, spread: float) -> None:
    torch.manual_seed(seed)
    net = BaseNet(fine=False).eval()
    torch.nn.init.normal_(net.coarse_net.knots.weight, 0, spread)
    torch.nn.init.normal_(net.coarse_net.knots.bias, 0, spread)
    s = torch.rand(1, 3, 32, 32)
    knots, levels = net.coarse(s, mask_of(s))
    ramp = torch.linspace(0, 1, 2000).expand(1, 3, 1, -1)
    assert float(net.tone.curve(ramp, knots).diff(dim=-1).min()) >= -1e-6
    assert float(levels.min()) >= 0


@torch.no_grad()
def test_greys_stay_grey_under_the_scene_looks_curve() -> None:
    s = picture((40, 48), 4)
    knots, _ = randomised(BaseNet()).coarse(s, mask_of(s))
    assert bool((knots.abs().amax((1, 2)) > 0.01).all())
    assert torch.equal(knots[:, 0], knots[:, 1])
    assert torch.equal(knots[:, 0], knots[:, 2])


def test_curve_passes_through_its_knots() -> None:
    tone = Tone()
    knots = 0.01 * torch.randn(1, 3, KNOTS, generator=torch.Generator().manual_seed(0)).abs()
    at = torch.linspace(0, 1, KNOTS).expand(1, 3, 1, -1)
    expected = tone.direct(at) + knots[:, :, None]
    torch.testing.assert_close(tone.curve(at, knots), expected.clamp(0, 1), rtol=0, atol=1e-6)


def test_narrow_undoes_wide() -> None:
    pq = 0.1 + 0.6 * picture((16, 16))
    tone = Tone()
    torch.testing.assert_close(tone.narrow(tone.wide(pq)), pq, rtol=0, atol=2e-5)


def test_levels_stay_where_the_mask_is_and_do_not_bleed() -> None:
    net = BaseNet(fine=False)
    levels = torch.zeros(1, 3, 10, 10)
    levels[..., 5:] = 0.2
    mask = torch.zeros(1, 3, 80, 80)
    mask[..., 60:] = 1
    spread = net.spread(levels, mask)
    torch.testing.assert_close(spread[..., 60:], torch.full_like(spread[..., 60:], 0.2), rtol=0, atol=1e-3)


def test_every_picture_of_a_batch_is_on_its_own() -> None:
    s = picture((40, 56), 3)
    net = randomised(BaseNet())
    together, knots = net(s, s, mask_of(s))
    for i in range(3):
        alone, curve = net(s[i : i + 1], s[i : i + 1], mask_of(s[i : i + 1]))
        torch.testing.assert_close(together[i : i + 1], alone, rtol=0, atol=2e-5)
        torch.testing.assert_close(knots[i : i + 1], curve, rtol=0, atol=2e-5)


def test_padding_is_cropped_and_multiple_needs_none() -> None:
    net = randomised(ResidualUNet(3, [8, 12, 16]))
    s = picture((12, 20))
    padded = torch.nn.functional.pad(s[..., :11, :17], [0, 3, 0, 1], mode="replicate")
    torch.testing.assert_close(net(s[..., :11, :17]), net(padded)[..., :11, :17], rtol=0, atol=1e-6)


@torch.no_grad()
def test_bfloat16_body_is_near() -> None:
    s = picture((64, 96))
    net = randomised(BaseNet())
    exact = net(s, s, mask_of(s))[0]
    for module in (net.coarse_net.body, net.fine_net.body):
        module.to(torch.bfloat16)
    near = net(s, s, mask_of(s))[0]
    assert near.dtype == torch.float32
    assert float((near - exact).abs().max()) < 0.01


def test_the_curve_learns_from_the_identity() -> None:
    knots = torch.zeros(1, 3, KNOTS, requires_grad=True)
    Tone().curve(picture((8, 8)), knots).sum().backward()
    assert knots.grad is not None
    assert bool((knots.grad != 0).any())
