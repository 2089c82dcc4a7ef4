import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sdr2hdr.errors import UsageError
from sdr2hdr.networks.partial import PartialConv2d, mask_features


def randomised(layer: PartialConv2d, seed: int = 0) -> PartialConv2d:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=generator))
    return layer


def equation_3(layer: PartialConv2d, x: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eq. 3 word by word, float64: one picture (C, H, W), validity (3 S, H, W)."""
    weight, bias = layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()
    outputs, _, k, _ = weight.shape
    validity_of, colour_of = [], []  # the validity channel and the colour of each input channel
    for s, channels in enumerate(layer.sources):
        for c in range(channels):
            validity_of.append(3 * s + c * 3 // channels)
            colour_of.append(c * 3 // channels)
    height, width = x.shape[1:]
    rows, columns = -(-height // layer.stride), -(-width // layer.stride)
    out, new = np.zeros((outputs, rows, columns)), np.zeros((3, rows, columns))
    for o, i, j in np.ndindex(out.shape):
        total = valid = size = 0.0
        seen = False
        for di, dj in np.ndindex(k, k):
            y, z = i * layer.stride + di - k // 2, j * layer.stride + dj - k // 2
            if not (0 <= y < height and 0 <= z < width):
                continue
            for c in range(x.shape[0]):
                share = v[validity_of[c], y, z]
                total += weight[o, c, di, dj] * x[c, y, z] * share
                valid += share
                size += 1
                seen = seen or (colour_of[c] == o * 3 // outputs and share > layer.VALID)
        if seen:
            out[o, i, j] = total * size / valid + bias[o]
            new[o * 3 // outputs, i, j] = 1
    return out, new


@pytest.mark.parametrize(("kernel", "stride"), [(7, 2), (5, 1), (3, 2), (1, 1)])
@pytest.mark.parametrize("size", [(11, 8), (1, 1)])
def test_full_validity_is_the_ordinary_convolution_borders_included(kernel, stride, size):
    layer = randomised(PartialConv2d([6, 3], 9, kernel, stride))
    x = torch.randn(2, 9, *size)
    y, validity = layer(x, torch.ones(2, 6, *size))
    torch.testing.assert_close(
        y, F.conv2d(x, layer.weight, layer.bias, stride, kernel // 2), rtol=1e-5, atol=1e-5
    )
    assert (validity == 1).all()


def test_nothing_valid_gives_zero_whatever_the_bias():
    layer = randomised(PartialConv2d([6], 9, 3))
    y, validity = layer(torch.randn(1, 6, 5, 5), torch.zeros(1, 3, 5, 5))
    assert (y == 0).all()
    assert (validity == 0).all()


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("sources", "kernel", "stride"), [([6], 3, 1), ([3], 5, 2), ([6, 3], 3, 1)])
def test_equation_3_by_naive_loops(sources, kernel, stride, soft):
    generator = torch.Generator().manual_seed(3)
    layer = randomised(PartialConv2d(sources, 6, kernel, stride))
    x = torch.randn(1, sum(sources), 9, 8, generator=generator)
    v = torch.rand(1, 3 * len(sources), 9, 8, generator=generator)
    v = (v - 0.75).clamp(min=0) * 4 if soft else (v > 0.9).float()
    v[:, 0] = 0  # one colour of one source is lost everywhere
    y, validity = layer(x, v)
    expected, expected_validity = equation_3(layer, x[0].double().numpy(), v[0].double().numpy())
    assert 0 < expected_validity.mean() < 1  # both branches of the equation
    np.testing.assert_allclose(y[0].detach().numpy(), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(validity[0].numpy(), expected_validity)


def test_each_colour_has_its_own_validity():
    layer = randomised(PartialConv2d([3], 6, 3))
    v = torch.ones(1, 3, 7, 7)
    v[:, 0] = 0
    y, validity = layer(torch.randn(1, 3, 7, 7), v)
    assert (y[:, :2] == 0).all()
    assert (y[:, 2:] != 0).all()
    assert validity.mean((0, 2, 3)).tolist() == [0, 1, 1]


def test_what_lies_in_the_hole_does_not_matter():
    layer = randomised(PartialConv2d([6], 6, 3))
    x, v = torch.randn(1, 6, 8, 8), (torch.rand(1, 3, 8, 8) > 0.5).float()
    other = torch.where(mask_features(torch.ones_like(x), v) > 0, x, 1000 * torch.randn_like(x))
    torch.testing.assert_close(layer(x, v)[0], layer(other, v)[0], rtol=0, atol=0)


def test_masked_input_skips_the_product_only():
    v = (torch.rand(1, 3, 8, 8) > 0.5).float()
    x = torch.randn(1, 6, 8, 8)
    expected = randomised(PartialConv2d([6], 6, 3))(x, v)[0]
    got = randomised(PartialConv2d([6], 6, 3, masked=True))(mask_features(x, v), v)[0]
    torch.testing.assert_close(got, expected, rtol=0, atol=0)


def test_validity_of_a_pixel_one_code_below_clipping_does_not_count():
    layer = PartialConv2d([3], 3, 3)
    for value, expected in ((0.04, 0), (0.06, 1)):
        v = torch.zeros(1, 3, 3, 3)
        v[..., 1, 1] = value
        assert layer(torch.ones(1, 3, 3, 3), v)[1].unique().tolist() == [expected]


def test_gradients_are_those_of_finite_differences():
    layer = randomised(PartialConv2d([3], 3, 3)).double()
    x = torch.randn(1, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    v = (torch.rand(1, 3, 4, 4) > 0.6).double()

    def run(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x, v))[0]

    assert torch.autograd.gradcheck(run, (x, layer.weight, layer.bias))


def test_channels_that_cannot_be_split_among_colours_are_refused():
    with pytest.raises(UsageError, match="multiples of 3"):
        PartialConv2d([4], 6, 3)
    with pytest.raises(UsageError, match="odd"):
        PartialConv2d([3], 6, 2)
