import json
import warnings

import pytest
import torch

from sdr2hdr.errors import UsageError
from sdr2hdr.networks.critic import Critic


def inputs(size: tuple[int, int] = (40, 33)) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    mask = torch.zeros(2, 3, *size)
    mask[..., size[0] // 4 :, : size[1] // 2 + 1] = 1
    return 1 + 0.05 * torch.randn(2, 3, *size, generator=generator), mask


def randomised(**arguments: int | bool) -> Critic:
    torch.manual_seed(0)
    critic = Critic(**arguments).eval()
    for p in critic.parameters():
        torch.nn.init.normal_(p, 0, 0.2)
    return critic


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (7, 3), (64, 40)])
def test_one_score_a_picture_at_any_size(local, size):
    detail, mask = inputs(size)
    scores = Critic(6, 3, local)(detail, mask)
    assert scores.shape == (2,)
    assert torch.isfinite(scores).all()


def test_local_critic_sees_the_holes_only():
    critic = randomised(width=6, depth=2, local=True)
    detail, mask = inputs()
    outside = torch.where(mask > 0, detail, 3 * torch.ones_like(detail))
    inside = torch.where(mask > 0, 3 * torch.ones_like(detail), detail)
    assert torch.equal(critic(detail, mask), critic(outside, mask))
    assert not torch.equal(critic(detail, mask), critic(inside, mask))
    assert critic(detail, torch.zeros_like(mask)).tolist() == [0, 0]


def test_global_critic_sees_everything():
    critic = randomised(width=6, depth=2)
    detail, mask = inputs()
    detail.requires_grad_()
    critic(detail, mask).sum().backward()
    assert (detail.grad != 0).all()


@pytest.mark.parametrize("local", [False, True])
def test_scripted_equals_eager(local):
    critic = randomised(width=6, depth=3, local=local)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        scripted = torch.jit.script(critic)
    for size in [(1, 1), (40, 33)]:
        torch.testing.assert_close(scripted(*inputs(size)), critic(*inputs(size)), rtol=1e-6, atol=1e-6)


def test_arguments_survive_json_and_wrong_ones_are_refused():
    arguments = {"width": 6, "depth": 3, "local": True}
    Critic(**json.loads(json.dumps(arguments)))
    with pytest.raises(UsageError, match="depth 0"):
        Critic(depth=0)
