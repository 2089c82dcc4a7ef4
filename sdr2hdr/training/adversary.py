"""The critics of D-net's part b: WGAN-GP on the masked region and on the whole patch (paper, 3.2.2 and eq. 8)."""

import torch
from torch import nn

from sdr2hdr.errors import TrainingError
from sdr2hdr.networks.critic import Critic
from sdr2hdr.training.distributed import World
from sdr2hdr.training.losses import gradient_penalty, wgan_critic

RATE = 2e-4  # of Adam for the critics; the momentum is 0 (Gulrajani et al. 2017, algorithm 1)
BETAS = (0.0, 0.9)


class Adversary(nn.Module):
    """A local and a global critic, and how they learn.

    One step of theirs follows every step of the generator, on the layers that it made there: `scores` keeps them.
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.critics = nn.ModuleList([Critic(width, local=True), Critic(width)])
        self.optimizer = torch.optim.Adam(self.parameters(), RATE, BETAS)
        self._seen: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None

    def scores(self, made: torch.Tensor, real: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
        """Scores (N,) of made detail layers, by each critic, for the generator's loss; all layers (N, 3, H, W)."""
        self._seen = made.detach(), real, mask
        self.requires_grad_(False)
        return [critic(made, mask) for critic in self.critics]

    def learn(self, world: World) -> dict[str, float]:
        """One step of both critics on what `scores` saw last; their losses.

        Raises
        ------
        TrainingError
            A loss is no number; the critics have not been changed by it.
        """
        assert self._seen is not None
        made, real, mask = self._seen
        self.requires_grad_(True)
        terms = {}
        for name, critic in zip(("local", "global"), self.critics, strict=True):
            loss = wgan_critic(critic(real, mask), critic(made, mask))
            penalty = gradient_penalty(critic, real, made, mask, local=name == "local")
            terms[f"critic.{name}"], terms[f"penalty.{name}"] = loss, penalty
        total = torch.stack(list(terms.values())).sum()
        if world.any(not bool(torch.isfinite(total))):
            raise TrainingError("the critics' loss is no number")
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        world.mean_gradients(self.parameters())
        self.optimizer.step()
        self._seen = None
        return {name: float(term.detach()) for name, term in terms.items()}
