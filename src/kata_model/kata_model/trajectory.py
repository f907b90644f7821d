# SPDX-License-Identifier: Apache-2.0
"""A robot's whole-body motion over time, and the file that holds it (``.npz``)."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray, frozen
from kata_model.atomic import new_file
from kata_model.errors import DataError

__all__ = ["Trajectory"]


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Positions of base and joints at N instants.

    Attributes:
        joint_names: Joint names, length n.
        joint_position: Shape (N, n), [rad].
        base_position: Base origin in the world (z up, floor at 0), shape (N, 3), [m].
        base_orientation_xyzw: Base to world, unit quaternions, shape (N, 4).
        stamp: Strictly rising, shape (N,), [s].
        contact: Left and right foot on the floor, shape (N, 2), bool.
    """

    joint_names: tuple[str, ...]
    joint_position: FloatArray
    base_position: FloatArray
    base_orientation_xyzw: FloatArray
    stamp: FloatArray
    contact: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Copy, freeze and check the arrays; all must be finite."""
        frames = len(np.asarray(self.stamp))
        shapes: dict[str, tuple[int, ...]] = {
            "joint_position": (frames, len(self.joint_names)),
            "base_position": (frames, 3),
            "base_orientation_xyzw": (frames, 4),
            "stamp": (frames,),
        }
        for name, shape in shapes.items():
            values = frozen(name, getattr(self, name), shape)
            if not np.isfinite(values).all():
                raise ValueError(f"{name} holds values that are not finite")
            object.__setattr__(self, name, values)
        contact = np.array(self.contact, dtype=bool)
        if contact.shape != (frames, 2):
            raise ValueError(f"contact has shape {contact.shape}, expected {(frames, 2)}")
        contact.setflags(write=False)
        object.__setattr__(self, "contact", contact)

    def save(self, path: Path) -> None:
        """Write the file whole, or not at all."""
        with new_file(path) as partial, partial.open("wb") as file:  # a path would be given the suffix .npz
            np.savez_compressed(
                file,
                joint_names=np.array(self.joint_names),
                joint_position=self.joint_position,
                base_position=self.base_position,
                base_orientation_xyzw=self.base_orientation_xyzw,
                stamp=self.stamp,
                contact=self.contact,
            )

    @classmethod
    def load(cls, path: Path) -> "Trajectory":
        """Read a file that `save` wrote.

        Raises:
            DataError: The file is missing, is not such a file, or its arrays do not fit together.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                arrays = {name: data[name] for name in cls.__dataclass_fields__}
            arrays["joint_names"] = tuple(str(name) for name in arrays["joint_names"])
            return cls(**arrays)
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise DataError(f"not a trajectory: {error}", where=str(path), fix="make one with `kata retarget`") from error
