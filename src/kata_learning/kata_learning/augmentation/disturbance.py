# SPDX-License-Identifier: Apache-2.0
"""Disturbed demonstrations: errors with their way back, and the same motion in other places."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Disturbance", "carried_joints", "fading"]

_DAMPING = 1e-6
"""Against postures in which two frames cannot be told apart [m²]."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What nobody demonstrated, but follows from what was demonstrated.

    Errors: the joints of each sample are displaced at random; what would then be observed follows from the terms'
    derivatives, and the chunk leads back to the demonstrated path, exponentially. This does in training what
    DART (Laskey et al. 2017) does by disturbing the demonstrator, with the data that there is.

    Other places: joints and objects are displaced together, and the chunk with them. The motion that remains to
    be done is then the same, to first order, and ends where the hand is at the object, wherever that is.

    Attributes:
        noise: Greatest standard deviation of an error [rad].
        left: What is left of an error at each action of a chunk, shape (horizon, 1).
        shift: Greatest standard deviation of a change of place [rad].
        blur: Standard deviation of independent noise by term, as term shapes.
    """

    noise: float
    left: Tensor
    shift: float
    blur: Mapping[str, Tensor]

    def apply(
        self, terms: Mapping[str, Tensor], slopes: Mapping[str, Tensor], chunk: Tensor, generator: torch.Generator
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the terms and chunks of samples with a random error and a random change of place each.

        Args:
            terms: By term, shape (B, history, *shape); a sample's history is displaced as a whole.
            slopes: Derivatives of the terms by the policy's joints, shape (B, history, *shape, k); a term that has none
                does not change with them.
            chunk: Shape (B, horizon, k), [rad].
            generator: Source of chance.
        """
        push, carry = (_draw(size, chunk, generator) for size in (self.noise, self.shift))
        carriers = _carriers(slopes)
        carry = carried_joints(slopes, carry) if carriers else torch.zeros_like(carry)
        along = {name: torch.einsum("bhik,bk->bhi", slopes[frame], -carry) for name, frame in carriers.items()}
        moved = {
            name: term
            + (torch.einsum("bh...k,bk->bh...", slopes[name], push + carry) if name in slopes else 0.0)
            + (along[name.split("/")[1]] if _is_place(name) and name.split("/")[1] in along else 0.0)
            + self.blur[name] * torch.randn(term.shape, generator=generator)
            for name, term in terms.items()
        }
        return moved, chunk + self.left * push[:, None] + carry[:, None]


def _is_place(term: str) -> bool:
    """Return whether a term tells where an object is."""
    return term.split("/")[0] in ("object_position", "object_from_frame")


def _carriers(slopes: Mapping[str, Tensor]) -> dict[str, str]:
    """Return for each object the term whose frame carries it: the first ``object_from_frame/OBJECT/FRAME``.

    How such a term changes with the joints is, but for the sign, how its frame does.
    """
    carriers: dict[str, str] = {}
    for name in slopes:
        kind, *rest = name.split("/")
        if kind == "object_from_frame":
            carriers.setdefault(rest[0], name)
    return carriers


def carried_joints(slopes: Mapping[str, Tensor], displacement: Tensor) -> Tensor:
    """Return the nearest displacement that moves all frames alike from which one object is seen.

    Two hands that hold a box stay where they are on it; for objects seen from one frame nothing changes.

    Args:
        slopes: Derivatives by term, shape (B, history, *shape, k).
        displacement: Of the joints, shape (B, k), [rad].
    """
    rows: list[Tensor] = []
    first: dict[str, Tensor] = {}
    for name, slope in slopes.items():
        kind, *rest = name.split("/")
        if kind == "object_from_frame":
            here = slope[:, -1]
            known = first.setdefault(rest[0], here)
            if known is not here:
                rows.append(here - known)
    if not rows:
        return displacement
    apart = torch.cat(rows, dim=1)
    square = apart @ apart.transpose(1, 2) + _DAMPING * torch.eye(apart.shape[1])
    wrong = torch.linalg.solve(square, apart @ displacement.unsqueeze(-1))
    kept: Tensor = displacement - (apart.transpose(1, 2) @ wrong).squeeze(-1)
    return kept


def _draw(size: float, chunk: Tensor, generator: torch.Generator) -> Tensor:
    """Draw displacements, most of them small and some large, shape (B, k), [rad]."""
    sizes = size * torch.rand(len(chunk), 1, generator=generator)
    return sizes * torch.randn(len(chunk), chunk.shape[-1], generator=generator)


def fading(horizon: int, rate: float, recovery: float) -> Tensor:
    """Return what is left of an error at each action of a chunk, shape (horizon, 1).

    Args:
        horizon: Actions in a chunk.
        rate: Actions a second [Hz].
        recovery: Time constant [s]; 0 is at once.
    """
    elapsed = torch.arange(1, horizon + 1) / rate
    left = torch.exp(-elapsed / recovery) if recovery > 0.0 else torch.zeros(horizon)
    return left.unsqueeze(-1)
