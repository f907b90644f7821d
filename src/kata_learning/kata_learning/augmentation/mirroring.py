# SPDX-License-Identifier: Apache-2.0
"""Mirrored demonstrations: what was shown on the left, shown on the right."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_data.dataset import Manifest
from kata_data.dataset.assemble import Steps
from kata_model.errors import DataError
from kata_model.robot import MIRROR, RobotModel, Symmetry, find_symmetry, mirrored_name

__all__ = ["Mirror", "mirror_of"]

_IMAGES = {
    "frame_position": MIRROR,
    "object_position": MIRROR,
    "object_from_frame": MIRROR,
    "object_rotation": np.concatenate([MIRROR, -MIRROR]),
}
"""Factors of a mirrored term; of a rotation's first two columns, as R becomes M R M, the second changes its sign once more."""


@dataclasses.dataclass(frozen=True, slots=True)
class Mirror:
    """Turns episodes into their mirror images.

    Attributes:
        order: Where each of the policy's joints has its partner among them, shape (k,).
        sign: Whether its angle keeps its sign, shape (k,).
        terms: Partner of each observation term.
    """

    order: NDArray[np.intp]
    sign: NDArray[np.float32]
    terms: Mapping[str, str]

    def episode(self, steps: Steps) -> Steps:
        """Return the mirror image of an episode without pictures."""
        return dataclasses.replace(
            steps,
            entry=dataclasses.replace(steps.entry, bag=f"{steps.entry.bag} mirrored", frames={}),
            observation=self._terms(steps.observation, self._image),
            sensitivity=self._terms(steps.sensitivity, self._slope),
            action=self._joints(steps.action),
            frame={},
            frame_stamp={},
        )

    def _terms(self, values: Mapping[str, NDArray[Any]], change: Callable[..., NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {name: change(name, values[self.terms[name]]) for name in values}

    def _joints(self, values: NDArray[Any]) -> NDArray[Any]:
        mirrored: NDArray[Any] = (self.sign * values[..., self.order]).astype(values.dtype)
        return mirrored

    def _image(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        kind = name.split("/")[0]
        if kind.startswith("joint_"):
            return self._joints(values)
        mirrored: NDArray[Any] = (values * _IMAGES[kind]).astype(values.dtype)
        return mirrored

    def _slope(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """Mirror a derivative: what is differentiated, and what it is differentiated by."""
        imaged = np.moveaxis(self._image(name, np.moveaxis(values, -1, 1)), 1, -1)
        return self._joints(imaged)


def mirror_of(about: Manifest, robot: RobotModel) -> Mirror:
    """Return the mirror of a dataset whose joints and terms are on both sides, or in the middle.

    Raises:
        DataError: The mirror image would move other joints or be seen by other terms, or there are pictures.
        RobotError: The robot is not symmetric.
    """
    fix = "train without --mirror"
    if about.cameras:
        raise DataError(f"pictures of {', '.join(about.cameras)} are not mirrored", fix=fix)
    symmetry: Symmetry = find_symmetry(robot)
    names = [mirrored_name(name) for name in about.joint_names]
    foreign = [name for name in names if name not in about.joint_names]
    if foreign:
        raise DataError(f"the mirror image of these demonstrations moves {foreign[0]}, which they do not", fix=fix)
    unknown = [term for term in about.terms if not term.startswith("joint_") and term.split("/")[0] not in _IMAGES]
    if unknown:
        raise DataError(f"how the term {unknown[0]} is mirrored is not known", fix=fix)
    terms = {term: _mirrored_term(term) for term in about.terms}
    unseen = [term for term in terms.values() if term not in about.terms]
    if unseen:
        raise DataError(f"the mirror image of these demonstrations needs the term {unseen[0]}", fix=fix)
    order = np.array([about.joint_names.index(name) for name in names])
    sign = symmetry.sign[robot.layout.indices(about.joint_names)].astype(np.float32)
    return Mirror(order, sign, terms)


def _mirrored_term(term: str) -> str:
    kind, *rest = term.split("/")
    return "/".join([kind, *map(mirrored_name, rest)])
