"""The paper's loss terms, numbered as there. All of them are means, float32, and differentiable.

Pictures are (N, 3, H, W), masks likewise in [0, 1], 1 = clipped.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F

HOLE_WEIGHT = 10.0  # eq. 4
DELTA = 0.85  # eq. 6
RHO = (2.0, 1.0, 0.01)  # eq. 8
C1, C2 = 0.01**2, 0.03**2  # of SSIM, for pictures of unit range (Wang et al. 2004)
PENALTY_WEIGHT = 10.0  # of the gradient penalty (Gulrajani et al. 2017)

Critic = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def l1(prediction: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Eq. 2: mean absolute error."""
    return (prediction - reference).abs().mean()


def reconstruction(prediction: torch.Tensor, reference: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Eq. 4: 10 L_hole + L_valid, both divided by the number of all values, whatever the mask's area."""
    error = (prediction - reference).abs()
    return (HOLE_WEIGHT * mask * error + (1 - mask) * error).mean()


def gaussian_window(size: int, sigma: float, like: torch.Tensor) -> torch.Tensor:
    """Samples of a Gaussian (size,), odd size, sum 1."""
    x = torch.arange(size, device=like.device, dtype=like.dtype) - size // 2
    window = torch.exp(-(x**2) / (2 * sigma**2))
    return window / window.sum()


def blur(x: torch.Tensor, window: torch.Tensor) -> torch.Tensor:
    """Local means (N, C, H, W) under a separable window; near the border those of the part inside the picture."""
    channels, reach = x.shape[1], window.numel() // 2
    column = window.view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    row = window.view(1, 1, 1, -1).expand(channels, 1, 1, -1)

    def filtered(x: torch.Tensor) -> torch.Tensor:
        y = F.conv2d(x, column, padding=(reach, 0), groups=channels)
        return F.conv2d(y, row, padding=(0, reach), groups=channels)

    return filtered(x) / filtered(torch.ones_like(x[:1]))


def ssim(
    prediction: torch.Tensor, reference: torch.Tensor, size: int = 11, sigma: float = 1.5
) -> torch.Tensor:
    """Eq. 5 at every pixel of every channel: brightness times structure, [-1, 1], 1 = equal; (N, 3, H, W)."""
    window = gaussian_window(size, sigma, reference)
    # second moments about a common level near the data, or float32 loses the small variances of a detail layer
    level = reference.mean([1, 2, 3], keepdim=True)
    x, y = prediction - level, reference - level
    mean_x, mean_y = blur(x, window), blur(y, window)
    variances = blur(x * x + y * y, window) - mean_x**2 - mean_y**2
    covariance = blur(x * y, window) - mean_x * mean_y
    mean_x, mean_y = mean_x + level, mean_y + level
    brightness = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    structure = (2 * covariance + C2) / (variances.clamp(min=0) + C2)
    return brightness * structure


def ssim_loss(prediction: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """L_SSIM: mean of 1 - SSIM over all pixels."""
    return (1 - ssim(prediction, reference)).mean()


def pconv_loss(prediction: torch.Tensor, reference: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Eq. 6, the loss of D-net's part a: 0.85 L_rec + 0.15 L_SSIM."""
    return DELTA * reconstruction(prediction, reference, mask) + (1 - DELTA) * ssim_loss(
        prediction, reference
    )


def wgan_critic(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """What a Wasserstein critic minimises, from its scores (N,) of real and made layers; the penalty comes on top."""
    return fake.mean() - real.mean()


def wgan_generator(*scores: torch.Tensor) -> torch.Tensor:
    """L_WGAN of the generator: minus the mean score (N,) of what it made, summed over the critics."""
    return -torch.stack([score.mean() for score in scores]).sum()


def gradient_penalty(
    critic: Critic,
    real: torch.Tensor,
    fake: torch.Tensor,
    mask: torch.Tensor,
    local: bool = False,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """10 mean (|gradient of the score| - 1)^2 at random points between real and made layers (Gulrajani et al. 2017).

    Parameters
    ----------
    critic : (layer, mask) -> scores (N,)
    local : the norm is that of gradient * mask, and pictures without a hole do not count
    generator : of the random points, for runs that can be repeated
    """
    weight = torch.rand(real.shape[0], 1, 1, 1, generator=generator, dtype=real.dtype).to(real.device)
    between = torch.lerp(real.detach(), fake.detach(), weight).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between, mask).sum(), between, create_graph=True)
    if local:
        gradient = gradient * mask
    norm = (gradient.square().sum([1, 2, 3]) + 1e-12).sqrt()  # the root has no derivative at 0
    penalty = (norm - 1).square()
    if not local:
        return PENALTY_WEIGHT * penalty.mean()
    counts = (mask.amax([1, 2, 3]) > 0).to(penalty.dtype)
    return PENALTY_WEIGHT * (penalty * counts).sum() / counts.sum().clamp(min=1)


def context_loss(
    prediction: torch.Tensor, reference: torch.Tensor, mask: torch.Tensor, *scores: torch.Tensor
) -> torch.Tensor:
    """Eq. 8, the loss of D-net's part b: 2 L_rec + L_SSIM + 0.01 L_WGAN; no scores, no adversarial term."""
    terms = [reconstruction(prediction, reference, mask), ssim_loss(prediction, reference)]
    if scores:
        terms.append(wgan_generator(*scores))
    return torch.stack([rho * term for rho, term in zip(RHO, terms, strict=False)]).sum()
