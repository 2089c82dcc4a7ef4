import numpy as np
import pytest
import torch

from sdr2hdr.networks import attention
from sdr2hdr.networks.attention import contextual_attention, spread_evenly


def equation_7(x: np.ndarray, hole: np.ndarray, scale: float) -> np.ndarray:
    """Features (C, H, W), hole (H, W): patches, cosine, softmax, pasting, averaging, by loops in float64."""
    height, width = x.shape[1:]
    padded, mask = np.pad(x, ((0, 0), (1, 1), (1, 1))), np.pad(hole, 1)
    patch = {p: padded[:, p[0] : p[0] + 3, p[1] : p[1] + 3] for p in np.ndindex(height, width)}
    keys = [p for p in patch if not mask[p[0] : p[0] + 3, p[1] : p[1] + 3].any()]
    total, hits = np.zeros_like(padded), np.zeros(padded.shape[1:])
    for p in [p for p in patch if hole[p]]:
        similarity = np.array(
            [(patch[p] * patch[k]).sum() / np.linalg.norm(patch[p]) / np.linalg.norm(patch[k]) for k in keys]
        )
        weights = np.exp(scale * similarity)
        weights /= weights.sum()
        total[:, p[0] : p[0] + 3, p[1] : p[1] + 3] += sum(
            w * patch[k] for w, k in zip(weights, keys, strict=True)
        )
        hits[p[0] : p[0] + 3, p[1] : p[1] + 3] += 1
    filled = (total / np.maximum(hits, 1))[:, 1:-1, 1:-1]
    return np.where(hole, filled, x)


def picture(seed: int = 0, size: tuple[int, int] = (9, 11)) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    hole = torch.zeros(1, 1, *size)
    hole[..., 2:5, 3:7] = 1
    hole[..., -1, 0] = 1
    return torch.randn(1, 4, *size, generator=generator), hole


@pytest.mark.parametrize("chunk", [1000, 5])
def test_equation_7_by_naive_loops(chunk):
    x, hole = picture()
    expected = equation_7(x[0].double().numpy(), hole[0, 0].numpy() > 0, 10.0)
    got = contextual_attention(x, hole, chunk=chunk)
    np.testing.assert_allclose(got[0].numpy(), expected, rtol=1e-4, atol=1e-5)


def test_outside_the_mask_features_pass_through_bit_for_bit():
    x, hole = picture()
    got = contextual_attention(x, hole)
    assert torch.equal(got[..., hole[0, 0] == 0], x[..., hole[0, 0] == 0])
    assert not torch.equal(got, x)


@pytest.mark.parametrize("fill", [0.0, 1.0])
def test_without_hole_or_without_surroundings_features_pass_through(fill):
    x, _ = picture()
    assert torch.equal(contextual_attention(x, torch.full((1, 1, 9, 11), fill)), x)


def test_a_repeating_texture_is_continued_into_the_hole():
    tile = torch.randn(1, 8, 4, 4, generator=torch.Generator().manual_seed(1))
    x = tile.repeat(1, 1, 6, 6)
    hole = torch.zeros(1, 1, 24, 24)
    hole[..., 10:14, 9:15] = 1
    damaged = torch.where(hole > 0, 0.5 * x + 0.2, x)  # a rough first filling
    got = contextual_attention(damaged, hole, scale=40.0)
    inside = hole[0, 0] > 0
    assert (got - x)[..., inside].abs().mean() < 0.1 * (damaged - x)[..., inside].abs().mean()


def test_pictures_of_a_batch_do_not_see_each_other():
    pairs = [picture(seed) for seed in range(3)]
    pairs[1] = (pairs[1][0], torch.zeros_like(pairs[1][1]))
    together = contextual_attention(torch.cat([x for x, _ in pairs]), torch.cat([h for _, h in pairs]))
    for n, (x, hole) in enumerate(pairs):
        torch.testing.assert_close(together[n : n + 1], contextual_attention(x, hole), rtol=0, atol=0)


def test_bfloat16_stays_near_float32():
    x, hole = picture(size=(40, 40))
    exact = contextual_attention(x, hole)
    got = contextual_attention(x.bfloat16(), hole)
    assert got.dtype == torch.bfloat16
    assert (got.float() - exact).abs().max() < 0.03


def test_gradients_are_those_of_finite_differences():
    x = torch.randn(1, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    hole = torch.zeros(1, 1, 5, 6)
    hole[..., 1:3, 1:3] = 1
    assert torch.autograd.gradcheck(
        lambda x: contextual_attention(x, hole), (x,), eps=1e-3, atol=1e-2, rtol=1e-2
    )


@pytest.mark.parametrize("count", [1, 5, 100, 101, 1000, 12345])
def test_patches_are_spread_evenly(count):
    positions = torch.arange(count) * 3
    got = spread_evenly(positions, 100)
    assert len(got) == min(count, 100)
    assert (got.diff() > 0).all()
    assert set(got.tolist()) <= set(positions.tolist())
    if count > 200:
        assert got.diff().max() <= 2 * 3 * -(-count // 100)


def test_patches_do_not_fall_on_a_few_columns():
    picked = spread_evenly(torch.arange(128 * 128), 1024)
    per_column = torch.bincount(picked % 128, minlength=128)
    assert per_column.min() >= 1
    assert per_column.max() <= 3 * per_column.float().mean()


def test_memory_is_bounded(monkeypatch):
    sizes = []
    matmul = torch.matmul
    monkeypatch.setattr(
        attention.torch,
        "matmul",
        lambda a, b: sizes.append((a.shape[0], b.shape[1])) or matmul(a, b),
    )
    hole = torch.zeros(1, 1, 60, 60)
    hole[..., 5:50, 5:50] = 1
    contextual_attention(torch.randn(1, 4, 60, 60), hole, patches=64, chunk=100)
    assert max(a for a, _ in sizes) <= 100
    assert max(b for _, b in sizes) <= 64
