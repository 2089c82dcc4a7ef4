import inspect
import io
import json
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from sdr2hdr.errors import UsageError
from sdr2hdr.networks.inpaint import DetailNet
from sdr2hdr.networks.partial import PartialConv2d
from sdr2hdr.training.losses import context_loss, pconv_loss, reconstruction

SMALL = {"width": 6, "depth": 4, "context_width": 6, "patches": 32}


def pair(size: tuple[int, int] = (37, 50), count: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Detail layer, and a mask whose colours differ, with soft edges."""
    generator = torch.Generator().manual_seed(0)
    height, width = size
    detail = 1 + 0.05 * torch.randn(count, 3, height, width, generator=generator)
    mask = torch.zeros(count, 3, height, width)
    mask[:, 0, height // 5 : 4 * height // 5, width // 5 : 4 * width // 5] = 1
    mask[:, 1, height // 3 : 2 * height // 3, width // 3 : 4 * width // 5] = 1
    mask[:, 2, height // 3 : 2 * height // 3, width // 2 :] = 0.6
    return detail, mask


def randomised(**arguments: int | bool) -> DetailNet:
    """Every parameter random; layers keep the scale of their input."""
    torch.manual_seed(1)
    net = DetailNet(**{**SMALL, **arguments}).eval()
    for p in net.parameters():
        torch.nn.init.normal_(p, 0, 0.1 if p.ndim == 1 else (1 / p[0].numel()) ** 0.5)
    return net


def scripted(net: DetailNet) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(net)


@pytest.mark.parametrize("context", [True, False])
def test_untrained_net_keeps_the_detail_outside_and_has_none_in_the_hole(context):
    detail, mask = pair()
    for hd in DetailNet(**SMALL, context=context).forward_parts(detail, mask):
        assert torch.equal(hd[mask == 0], detail[mask == 0])
        assert torch.equal(hd[mask == 1], torch.ones_like(hd)[mask == 1])
        expected = mask + (1 - mask) * detail
        torch.testing.assert_close(hd, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("context", [True, False])
def test_scripted_equals_eager_with_every_parameter_random(context):
    net = randomised(context=context)
    archive = scripted(net)
    for size, count in [((1, 1), 1), ((37, 50), 2), ((64, 64), 1)]:
        detail, mask = pair(size, count)
        got, expected = archive(detail, mask), net(detail, mask)
        assert (expected - detail).abs().max() > 0.01
        torch.testing.assert_close(got, expected, rtol=1e-6, atol=1e-6)


def test_archive_gives_the_eager_net_back():
    net = randomised()
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(net), buffer)
        buffer.seek(0)
        archive = torch.jit.load(buffer)
    rebuilt = DetailNet(**json.loads(json.dumps(SMALL))).eval()
    rebuilt.load_state_dict(archive.state_dict())
    torch.testing.assert_close(rebuilt(*pair()), net(*pair()), rtol=0, atol=0)


@settings(max_examples=15, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), depth=st.integers(1, 7), context=st.booleans())
def test_any_size(height, width, depth, context):
    detail, mask = pair((height, width))
    hd = randomised(depth=depth, context=context)(detail, mask)
    assert hd.shape == detail.shape
    assert hd.dtype == torch.float32
    assert torch.isfinite(hd).all()


def test_what_is_clipped_is_not_read():
    net = randomised()
    detail, mask = pair()
    other = torch.where(mask == 1, torch.rand_like(detail) * 3, detail)
    torch.testing.assert_close(net(other, mask), net(detail, mask), rtol=0, atol=0)
    other = torch.where(mask == 1, detail, detail + 0.1)
    assert not torch.allclose(net(other, mask)[mask == 1], net(detail, mask)[mask == 1], atol=1e-3)


def test_part_b_changes_the_holes_only_and_by_the_mask():
    net = randomised()
    detail, mask = pair()
    filled, both = net.forward_parts(detail, mask)
    assert torch.equal(filled[mask == 0], both[mask == 0])
    assert (filled != both)[mask == 1].float().mean() > 0.99


def test_each_picture_of_a_batch_is_alone():
    net = randomised()
    detail, mask = pair(count=3)
    mask[1] = 0
    together = net(detail, mask)
    for n in range(3):
        alone = net(detail[n : n + 1], mask[n : n + 1])
        torch.testing.assert_close(together[n : n + 1], alone, rtol=1e-5, atol=1e-5)
    assert torch.equal(together, net(detail, mask))


def test_layout_in_memory_does_not_matter():
    net = randomised()
    detail, mask = pair()
    other = net(*(x.contiguous(memory_format=torch.channels_last) for x in (detail, mask)))
    torch.testing.assert_close(other, net(detail, mask), rtol=1e-5, atol=1e-5)


def test_bfloat16_body_stays_near_float32_and_spares_the_rest():
    net = randomised()
    detail, mask = pair()
    exact = net(detail, mask)
    net.body.to(torch.bfloat16)
    got = net(detail, mask)
    assert got.dtype == torch.float32
    assert (got - exact).abs().mean() < 0.02 * (exact - detail).abs().mean()
    torch.nn.init.zeros_(net.last_fill.conv.weight)
    torch.nn.init.zeros_(net.last_fill.conv.bias)
    filled = net.forward_parts(detail, mask)[0]
    assert torch.equal(filled[mask == 0], detail[mask == 0])
    assert torch.equal(scripted(net)(detail, mask), net(detail, mask))


def test_kernels_are_those_of_the_paper():
    net = DetailNet()
    partial = [m.kernel_size for m in net.body.fill.modules() if isinstance(m, PartialConv2d)]
    assert partial[:3] == [7, 5, 5]
    assert set(partial[3:]) == {3}
    ordinary = [m.kernel_size[0] for m in net.body.context.modules() if isinstance(m, torch.nn.Conv2d)]
    assert ordinary[0] == 5
    assert set(ordinary[1:]) == {3}


def test_seven_levels_reach_the_middle_of_a_wide_hole():
    mask = torch.zeros(1, 3, 640, 640)
    mask[..., 70:570, 70:570] = 1
    for depth, reached in ((3, False), (7, True)):
        fill = DetailNet(6, depth, context=False).body.fill
        with torch.no_grad():
            features = fill(torch.ones(1, 3, 640, 640) * (1 - mask), 1 - mask)
        assert bool((features[..., 155:165, 155:165] != 0).any()) == reached


def test_wide_holes_and_specks_stay_bounded():
    net = randomised(width=24, depth=7)
    mask = torch.ones(1, 3, 512, 512)
    mask[..., :8, :8] = 0
    mask[:, 1, ::97, ::89] = 0.9
    detail = 1 + 0.5 * torch.randn(1, 3, 512, 512, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert (net(detail, mask) - 1).abs().max() < 20


def test_at_most_35_thousand_multiplications_a_pixel():
    detail, mask = torch.ones(1, 3, 512, 512), torch.zeros(1, 3, 512, 512)
    mask[..., :436] = 1  # attention's worst case: nearly all asks, and there are still 512 patches to ask
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        DetailNet()(detail, mask)
    assert counter.get_total_flops() / 2 / 512**2 < 35_000


def test_it_learns_and_every_parameter_takes_part():
    torch.manual_seed(0)
    net = DetailNet(**SMALL)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    ramp = torch.arange(32) * 0.8
    reference = (1 + 0.1 * torch.sin(ramp) * torch.cos(ramp)[:, None]).expand(1, 3, 32, 32)
    mask = torch.zeros(1, 3, 32, 32)
    mask[..., 10:24, 8:20] = 1
    detail = torch.where(mask == 1, torch.ones_like(reference), reference)
    start = reconstruction(net(detail, mask), reference, mask).item()
    for _ in range(40):
        filled, both = net.forward_parts(detail, mask)
        loss = pconv_loss(filled, reference, mask) + context_loss(both, reference, mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert reconstruction(net(detail, mask), reference, mask).item() < 0.5 * start
    assert [n for n, p in net.named_parameters() if p.grad is None or not (p.grad != 0).any()] == []


def test_arguments_are_plain_and_wrong_ones_are_refused():
    defaults = {k: p.default for k, p in inspect.signature(DetailNet).parameters.items()}
    assert json.loads(json.dumps(defaults)) == defaults
    for wrong in ({"width": 20}, {"depth": 0}, {"context_width": 0}, {"patches": 0}):
        with pytest.raises(UsageError, match="multiple of 3"):
            DetailNet(**wrong)
