# SPDX-License-Identifier: Apache-2.0
"""What a policy sees and moves, as the training tells it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kata_policy.observation import CameraSpec, TermSpec

__all__ = ["PolicySpec"]


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """A policy's border; the same for all kinds.

    Attributes:
        terms: Observation terms in the order of the inputs.
        joint_names: Joints that it moves, k.
        horizon: Actions in a chunk.
        rate: Actions a second [Hz].
        history: Observations it sees, the last of which is the present one.
        cameras: Cameras in the order of the inputs, after the terms.
    """

    terms: tuple[TermSpec, ...]
    joint_names: tuple[str, ...]
    horizon: int
    rate: float
    history: int = 1
    cameras: tuple[CameraSpec, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no policy could be made for."""
        if self.horizon < 1 or self.history < 1 or not self.joint_names:
            raise ValueError(
                f"horizon {self.horizon}, history {self.history}, {len(self.joint_names)} joints: each is at least 1"
            )
        if not self.terms:
            raise ValueError("a policy sees at least one term, such as joint_position")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Return how many numbers each term has."""
        return tuple(math.prod(term.shape) for term in self.terms)

    @property
    def anchor(self) -> int | None:
        """Return the index of the term that chunks are displacements from, or None."""
        names = [term.name for term in self.terms]
        return names.index("joint_position") if "joint_position" in names else None

    @property
    def window(self) -> tuple[int, ...]:
        """Return what precedes a term's shape in an input: the history, if there is any."""
        return (self.history,) if self.history > 1 else ()

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "PolicySpec":
        """Read what `dataclasses.asdict` gave, from JSON too."""
        terms = tuple(TermSpec(term["name"], tuple(term["shape"])) for term in data["terms"])
        cameras = tuple(CameraSpec(**camera) for camera in data["cameras"])
        return cls(**{**data, "terms": terms, "cameras": cameras, "joint_names": tuple(data["joint_names"])})
