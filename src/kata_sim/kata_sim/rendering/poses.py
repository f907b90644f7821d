# SPDX-License-Identifier: Apache-2.0
"""Pictures of a robot in given configurations, without physics: for reports."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import mujoco
import numpy as np
from numpy.typing import ArrayLike

from kata_model.robot import RobotModel
from kata_sim.config import SimConfig
from kata_sim.rendering.renderer import Image, Marker, Renderer, View
from kata_sim.world.model import build_model
from kata_sim.world.robot_data import load_sim_data

__all__ = ["PoseRenderer"]


class PoseRenderer:
    """Renders one robot; use it as a context, since building it takes a while.

    Args:
        robot: The robot.
        width: Of the pictures [px].
        height: Of the pictures [px].

    Raises:
        RobotError: MuJoCo cannot use the robot's description.
        RenderError: EGL is missing or refuses.
    """

    def __init__(self, robot: RobotModel, width: int = 480, height: int = 480) -> None:
        """Build model and renderer."""
        self._robot = robot
        config = SimConfig(base="floating", image_quality="fine")
        self._model: Any = build_model(robot, load_sim_data(robot.description), config)
        self._data: Any = mujoco.MjData(self._model)
        self._qpos = [self._model.joint(name).qposadr[0] for name in robot.layout.names]
        self._renderer = Renderer(self._model, width, height)

    def render(
        self,
        position: ArrayLike,
        *,
        base_position: ArrayLike | None = None,
        base_orientation_xyzw: ArrayLike = (0.0, 0.0, 0.0, 1.0),
        markers: Sequence[Marker] = (),
        view: View | None = None,
    ) -> Image:
        """Return a picture, RGB, shape (height, width, 3), uint8.

        Args:
            position: Joint positions, shape (n,), [rad], layout order.
            base_position: Base in the world, shape (3,), [m]; None stands the robot at the origin.
            base_orientation_xyzw: Base to world, shape (4,).
            markers: Spheres and lines to add, e.g. a human's keypoints, in the world.
            view: From where; None looks at the base from the front right.
        """
        height = self._robot.description.base_height
        base = np.array([0.0, 0.0, height]) if base_position is None else np.asarray(base_position, dtype=float)
        x, y, z, w = np.asarray(base_orientation_xyzw, dtype=float)
        self._data.qpos[:7] = [*base, w, x, y, z]
        self._data.qpos[self._qpos] = np.asarray(position, dtype=float)
        mujoco.mj_forward(self._model, self._data)
        return self._renderer.render(self._data, view or View(tuple(base)), markers)

    def close(self) -> None:
        """Free what rendering holds."""
        self._renderer.close()

    def __enter__(self) -> "PoseRenderer":
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()
