# SPDX-License-Identifier: Apache-2.0
"""Training in several processes that `torchrun` starts: each works on its shard of every batch (data parallelism)."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist

__all__ = ["ALONE", "ProcessGroup", "join_group"]


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes that train one policy; all hold the same weights, bit for bit.

    Attributes:
        rank: Number of this one.
        size: How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_rank_0(self) -> bool:
        """Whether this process writes, prints and attempts the task."""
        return self.rank == 0

    def shard(self, rows: Tensor) -> Tensor:
        """Return this process's shard of a batch's rows."""
        return rows[self.rank :: self.size]

    def all_reduce(self, values: Iterable[Tensor]) -> None:
        """Replace tensors by their sums over all processes."""
        if self.size == 1:
            return
        kept = list(values)
        flat = torch.cat([value.flatten() for value in kept])
        dist.all_reduce(flat)
        for value, part in zip(kept, torch.split(flat, [value.numel() for value in kept]), strict=True):
            value.copy_(part.view_as(value))

    def broadcast(self, numbers: tuple[int, ...] | None, count: int, device: torch.device) -> tuple[int, ...]:
        """Return numbers that rank 0 knows.

        Args:
            numbers: They, in rank 0; elsewhere they are not read.
            count: How many there are.
            device: Where tensors are that this group exchanges.
        """
        known = list(numbers) if numbers is not None and self.is_rank_0 else [0] * count
        values = torch.tensor(known, dtype=torch.int64, device=device)
        if self.size > 1:
            dist.broadcast(values, src=0)
        return tuple(values.tolist())


ALONE = ProcessGroup()


def join_group(device: str) -> ProcessGroup:
    """Return the group that `torchrun` made of this process, or one of its own; gloo on CPUs, nccl on GPUs."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE
    if not dist.is_initialized():
        if device == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if device == "cuda" else "gloo")
    return ProcessGroup(dist.get_rank(), dist.get_world_size())
