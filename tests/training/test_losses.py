import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from sdr2hdr.networks.critic import Critic
from sdr2hdr.training import losses


def pictures(seed: int = 0, size: tuple[int, int] = (24, 20)) -> list[torch.Tensor]:
    """Prediction, reference and mask."""
    generator = torch.Generator().manual_seed(seed)
    prediction, reference = (1 + 0.05 * torch.randn(2, 3, *size, generator=generator) for _ in range(2))
    return [prediction, reference, torch.rand(2, 3, *size, generator=generator)]


def naive_ssim(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Eq. 5 of one channel in float64, pixel by pixel: 11 x 11 Gaussian of sigma 1.5, cut at the border."""
    at = np.arange(-5, 6)
    kernel = np.exp(-(at[:, None] ** 2 + at**2) / (2 * 1.5**2))
    out = np.zeros_like(x)
    for i, j in np.ndindex(x.shape):
        rows = slice(max(i - 5, 0), i + 6)
        columns = slice(max(j - 5, 0), j + 6)
        w = kernel[rows.start - i + 5 : min(i + 6, x.shape[0]) - i + 5]
        w = w[:, columns.start - j + 5 : min(j + 6, x.shape[1]) - j + 5]
        w = w / w.sum()
        a, b = x[rows, columns], y[rows, columns]
        ma, mb = (w * a).sum(), (w * b).sum()
        va, vb, cov = (w * (a - ma) ** 2).sum(), (w * (b - mb) ** 2).sum(), (w * (a - ma) * (b - mb)).sum()
        out[i, j] = (2 * ma * mb + 1e-4) / (ma**2 + mb**2 + 1e-4) * (2 * cov + 9e-4) / (va + vb + 9e-4)
    return out


def test_equation_2():
    x, y, _ = pictures()
    assert losses.l1(x, y).item() == pytest.approx(np.abs(x.numpy() - y.numpy()).mean())


def test_equation_4():
    x, y, mask = (a.double().numpy() for a in pictures())
    expected = 10 * np.abs(mask * (x - y)).mean() + np.abs((1 - mask) * (x - y)).mean()
    assert losses.reconstruction(*pictures()).item() == pytest.approx(expected, rel=1e-5)


def test_hole_weighs_ten_times_as_much():
    x, y = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    assert losses.reconstruction(x, y, torch.ones_like(x)).item() == pytest.approx(10)
    assert losses.reconstruction(x, y, torch.zeros_like(x)).item() == pytest.approx(1)


@pytest.mark.parametrize("size", [(24, 20), (5, 30), (1, 1)])
def test_equation_5_by_naive_loops(size):
    x, y, _ = pictures(size=size)
    y = 0.7 * x + 0.3 * y  # correlated, as predictions are
    got = losses.ssim(x, y)
    for n in range(2):
        for c in range(3):
            expected = naive_ssim(x[n, c].double().numpy(), y[n, c].double().numpy())
            np.testing.assert_allclose(got[n, c].numpy(), expected, atol=2e-5)


def test_ssim_window_is_the_gaussian_of_scipy():
    x = torch.zeros(1, 1, 31, 31)
    x[..., 15, 15] = 1
    expected = gaussian_filter(x[0, 0].double().numpy(), 1.5, truncate=5 / 1.5)
    got = losses.blur(x, losses.gaussian_window(11, 1.5, x))[0, 0]
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-7)


def test_ssim_loss_is_zero_only_where_equal():
    x, y, _ = pictures()
    assert losses.ssim_loss(x, x).item() == pytest.approx(0, abs=1e-6)
    assert losses.ssim_loss(x, y).item() > 0.1
    assert losses.ssim_loss(x + 0.3, x).item() > 0.01  # brightness alone
    assert losses.ssim_loss(2 - x, x).item() > 1  # structure turned round


def test_equation_6():
    x, y, mask = pictures()
    expected = 0.85 * losses.reconstruction(x, y, mask) + 0.15 * (1 - losses.ssim(x, y)).mean()
    torch.testing.assert_close(losses.pconv_loss(x, y, mask), expected)


def test_equation_8():
    x, y, mask = pictures()
    global_score, local_score = torch.tensor([3.0, 5.0]), torch.tensor([-1.0, 2.0])
    without = 2 * losses.reconstruction(x, y, mask) + losses.ssim_loss(x, y)
    torch.testing.assert_close(losses.context_loss(x, y, mask), without)
    torch.testing.assert_close(
        losses.context_loss(x, y, mask, global_score, local_score), without - 0.01 * (4.0 + 0.5)
    )


def test_critic_and_generator_pull_in_opposite_directions():
    real, fake = torch.tensor([2.0, 4.0]), torch.tensor([1.0, -1.0])
    assert losses.wgan_critic(real, fake).item() == pytest.approx(-3)
    assert losses.wgan_generator(fake).item() == pytest.approx(0)
    assert losses.wgan_generator(fake, real).item() == pytest.approx(-3)


@pytest.mark.parametrize("local", [False, True])
def test_penalty_of_a_linear_critic_whose_gradient_is_known(local):
    x, y, mask = pictures()
    mask = (mask > 0.5).float()
    slope = 0.02 * torch.randn(3, 24, 20, generator=torch.Generator().manual_seed(1))
    got = losses.gradient_penalty(lambda d, m: (d * slope).sum([1, 2, 3]), x, y, mask, local)
    gradient = (slope * mask if local else slope.expand_as(x)).double().numpy()
    norms = np.sqrt((gradient**2).sum((1, 2, 3)))
    assert got.item() == pytest.approx(10 * ((norms - 1) ** 2).mean(), rel=1e-5)


def test_penalty_is_taken_between_real_and_made_layers():
    x, y, mask = pictures()
    seen = []

    def critic(detail: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        seen.append(detail.detach())
        return detail.square().sum([1, 2, 3])

    penalties = [
        losses.gradient_penalty(critic, x, y, mask, generator=torch.Generator().manual_seed(7))
        for _ in range(2)
    ]
    assert penalties[0] == penalties[1]
    share = (seen[0] - x) / (y - x)
    for s in share:
        assert s.std() < 1e-3
        assert 0 < s.median() < 1
    assert abs(share[0].median() - share[1].median()) > 1e-3  # each picture has its own


def test_pictures_without_hole_do_not_enter_the_local_penalty():
    x, y, mask = pictures()
    mask[1] = 0
    critic = Critic(6, 2, local=True)
    both = losses.gradient_penalty(critic, x, x, mask, local=True)
    first = losses.gradient_penalty(critic, x[:1], x[:1], mask[:1], local=True)
    torch.testing.assert_close(both, first)
    none = losses.gradient_penalty(critic, x, y, torch.zeros_like(mask), local=True)
    assert none.item() == 0
    none.backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in critic.parameters())


def test_a_critic_learns_to_tell_texture_from_none():
    torch.manual_seed(0)
    critic = Critic(12, 2, local=True)
    optimizer = torch.optim.Adam(critic.parameters(), 5e-3, betas=(0.5, 0.9))
    mask = torch.zeros(4, 3, 16, 16)
    mask[..., 4:12, 4:12] = 1
    fake = torch.ones(4, 3, 16, 16)
    for _ in range(120):
        real = 1 + 0.05 * torch.randn(4, 3, 16, 16)
        loss = losses.wgan_critic(critic(real, mask), critic(fake, mask))
        loss = loss + losses.gradient_penalty(critic, real, fake, mask, local=True)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    real = 1 + 0.05 * torch.randn(4, 3, 16, 16)
    assert critic(real, mask).mean() > critic(fake, mask).mean() + 0.1
