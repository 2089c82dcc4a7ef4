"""Several processes that train one net together, as torchrun starts them (DistributedDataParallel)."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist

PATIENCE = timedelta(hours=3)  # one process fills the pool or validates while the others wait


@dataclass(frozen=True)
class World:
    """This process among all: its number, how many there are, and its device."""

    rank: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """True in the one process that writes files."""
        return self.rank == 0

    def wait(self) -> None:
        """Until every process is here."""
        if self.size > 1:
            dist.barrier()

    def any(self, flag: bool) -> bool:
        """True in every process if `flag` is in one."""
        if self.size == 1:
            return flag
        shared = torch.tensor([float(flag)], device=self.device)
        dist.all_reduce(shared, dist.ReduceOp.MAX)
        return bool(shared.item())

    def largest(self, value: float) -> float:
        """The largest of all processes' values, in every process."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], device=self.device, dtype=torch.float32)
        dist.all_reduce(shared, dist.ReduceOp.MAX)
        return float(shared.item())

    def mean_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Average gradients over the processes, for nets outside DistributedDataParallel."""
        if self.size == 1:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= self.size


def join(device: torch.device) -> World:
    """Take part in the processes that torchrun started; alone if it did not."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return World(0, 1, device)
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    return World(dist.get_rank(), size, device)


def leave(world: World) -> None:
    """The end of the common work."""
    if world.size > 1:
        dist.destroy_process_group()
