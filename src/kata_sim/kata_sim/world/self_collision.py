# SPDX-License-Identifier: Apache-2.0
"""MuJoCo's judgement on a robot that touches itself, on its own collision geometry."""

import mujoco

from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel
from kata_sim.world.urdf import urdf_for_mujoco

__all__ = ["SelfCollision"]


class SelfCollision:
    """MuJoCo's judgement on the robot's own collision geometry (convex hulls of its meshes)."""

    def __init__(self, robot: RobotModel) -> None:
        """Build the model; pairs of links that touch at rest do not count."""
        spec = mujoco.MjSpec.from_string(urdf_for_mujoco(robot.description, 1.0))
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._address = [int(self._model.joint(name).qposadr[0]) for name in robot.layout.names]
        self._rest = set(self.pairs(robot.rest, 0.0))

    def pairs(self, position: FloatArray, depth: float) -> dict[tuple[str, str], float]:
        """Return depths [m] by pair of links that overlap by more than a depth."""
        self._data.qpos[self._address] = position
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_collision(self._model, self._data)
        found: dict[tuple[str, str], float] = {}
        for i in range(self._data.ncon):
            contact = self._data.contact[i]
            if contact.dist < -depth:
                a, b = sorted(self._model.body(int(self._model.geom_bodyid[g])).name for g in contact.geom)
                found[a, b] = max(found.get((a, b), 0.0), -float(contact.dist))
        return found

    def beyond_rest(self, position: FloatArray, depth: float) -> dict[tuple[str, str], float]:
        """Return the same without the pairs that touch at rest."""
        return {pair: d for pair, d in self.pairs(position, depth).items() if pair not in self._rest}
