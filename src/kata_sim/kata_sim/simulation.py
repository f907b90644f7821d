# SPDX-License-Identifier: Apache-2.0
"""A simulated robot: the interface of a real one, and time that passes on request."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from kata_model.arrays import FloatArray, frozen
from kata_model.base_motion import BaseMotion
from kata_model.errors import KataError
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_sim.config import SimConfig
from kata_sim.gantry import Gantry
from kata_sim.randomization import Randomization, Randomizer
from kata_sim.rendering.renderer import Image, Renderer, View
from kata_sim.tasks import TaskState, make_task
from kata_sim.world.model import HEAD_CAMERA, IMU_SITE, build_model
from kata_sim.world.robot_data import load_sim_data
from kata_sim.world.scene import Scene

__all__ = ["ImuSample", "Simulation", "SimulationError"]

_PUSH_TIME = 0.1
"""How long a push lasts [s]."""

_DIVERGED = (mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQVEL, mujoco.mjtWarning.mjWARN_BADQACC)


class SimulationError(KataError):
    """Physics cannot go on."""


@dataclass(frozen=True, slots=True)
class ImuSample:
    """One measurement of the inertial sensor, in its own frame.

    Attributes:
        stamp: Time of measurement [ns].
        orientation_xyzw: Sensor to world, shape (4,).
        angular_velocity: Shape (3,), [rad/s].
        linear_acceleration: Shape (3,), [m/s²]; +g upwards at rest.
    """

    stamp: int
    orientation_xyzw: FloatArray
    angular_velocity: FloatArray
    linear_acceleration: FloatArray


class Simulation:
    """A robot in a room. Without a command it stands at rest; a command that grows old leaves it damped.

    A free base hangs from a `Gantry` until the first command.
    Time goes on through resets, so that stamps never run backwards.

    Args:
        robot: The robot.
        config: How it is simulated.
        task: Name of the task; None for the robot's first, if it has any.
        randomization: What differs from reset to reset; None for nothing but the task's own draw.

    Raises:
        RobotError: MuJoCo cannot use the robot's description.
        ConfigError: The robot has no such task.
    """

    def __init__(
        self,
        robot: RobotModel,
        config: SimConfig | None = None,
        task: str | None = None,
        randomization: Randomization | None = None,
    ) -> None:
        """Build the model and reset with seed 0."""
        self.robot = robot
        self.config = config or SimConfig()
        self.facts = facts = load_sim_data(robot.description)
        self.task = make_task(facts.tasks, task, robot.description.name)
        self.model: Any = build_model(robot, facts, self.config, self.task)
        self.data: Any = mujoco.MjData(self.model)
        self._qpos = np.array([self.model.joint(name).qposadr[0] for name in robot.layout.names])
        self._qvel = np.array([self.model.joint(name).dofadr[0] for name in robot.layout.names])
        self._base = self.model.body(robot.description.base_link).id
        self._gantry = Gantry(robot, self.model) if self.config.base == "floating" else None
        self.scene = Scene(self.model, self.data, self._base)
        self._random = Randomizer(self.model, randomization) if randomization not in (None, Randomization()) else None
        self._late: deque[tuple[int, JointCommand]] = deque()
        self._renderer: Renderer | None = None
        self._period = round(self.config.timestep * 1e9)
        self._timeout = round(self.config.command_timeout * 1e9)
        self._start = self._gantry.posture if self._gantry else robot.rest
        self._stand = _standing(robot, self._start)
        self._damp = JointCommand.at(0, np.zeros(len(robot.layout)), np.zeros(len(robot.layout)), robot.damping)
        self._received: int | None = None
        self.time = 0
        self.reset(0)

    def reset(self, seed: int | list[int], *, time: int | None = None) -> None:
        """Put the robot to rest, forget the command and lay the task's things out; equal seeds give equal scenes.

        Args:
            seed: Of all that is drawn.
            time: What the clock shows then [ns]; None lets it go on, as those who listen to it expect.
        """
        rng = np.random.default_rng(seed)
        self.time = self.time if time is None else time
        mujoco.mj_resetData(self.model, self.data)
        self._late.clear()
        self._sensed: JointState | None = None
        if self._random:
            self._random.draw(np.random.default_rng([*np.atleast_1d(seed), 1]))
        noise = rng.uniform(-1.0, 1.0, len(self.robot.layout)) * self.config.rest_noise
        self.data.qpos[self._qpos] = self.robot.clamp(self._start + noise)
        self._command, self._received, self._pushed = self._stand, None, self.time
        self._hang()
        self.reset_task(rng)

    def reset_task(self, rng: np.random.Generator) -> None:
        """Lay the task's things out anew and leave the robot where it is."""
        mujoco.mj_kinematics(self.model, self.data)
        if self.task:
            self.task.reset(rng, self.scene, self.time)
        mujoco.mj_forward(self.model, self.data)

    def stand(self, position: FloatArray, height: float) -> None:
        """Put a free robot upright, its joints at a position, shape (n,), [rad], its base at a height [m], at rest."""
        at = int(self.model.joint("base").qposadr[0])
        self.data.qpos[at : at + 7] = [0.0, 0.0, height, 1.0, 0.0, 0.0, 0.0]
        self.data.qpos[self._qpos] = position
        self.data.qvel[:] = 0.0
        self._sensed = None
        mujoco.mj_forward(self.model, self.data)

    @property
    def standing(self) -> bool:
        """Whether the robot stands by itself, as nothing was commanded since its reset."""
        return self._command is self._stand

    def command(self, command: JointCommand) -> bool:
        """Follow a command from the next step on; return False, and go on, if it is not finite throughout."""
        values = (command.position, command.velocity, command.effort, command.stiffness, command.damping)
        if not np.isfinite(values).all():
            return False
        if self._random and self._random.delay:
            self._late.append((self.time + self._random.delay, command))
        else:
            self._command, self._received = command, self.time
        return True

    def step(self, steps: int = 1) -> None:
        """Let time pass by a number of physics steps.

        Raises:
            SimulationError: Physics diverged. MuJoCo would go on from its own reset state and say nothing.
        """
        for _ in range(steps):
            while self._late and self._late[0][0] <= self.time:
                self._received, self._command = self.time, self._late.popleft()[1]
            self.data.ctrl[:] = self._effort()
            if self.time >= self._pushed:
                self.data.xfrc_applied[self._base] = 0.0
            mujoco.mj_step(self.model, self.data)
            self._hang()
            self.time += self._period
            if self.task:
                self.task.update(self.scene, self.time)
        if any(self.data.warning[kind].number for kind in _DIVERGED):
            raise SimulationError("physics diverged", where="simulation", fix="lower the gains or the timestep")

    def joint_state(self) -> JointState:
        """Return what the joints' sensors measure now; asked twice, they say the same."""
        if self._sensed is not None and self._sensed.stamp == self.time:
            return self._sensed
        position, velocity = self.data.qpos[self._qpos], self.data.qvel[self._qvel]
        if self._random:
            position, velocity = self._random.measured(position, velocity)
        state = JointState(self.time, position, velocity, self.data.actuator_force)
        self._sensed = state if self._random else None
        return state

    def imu(self) -> ImuSample:
        """Return what the inertial sensor measures; only where the robot's facts name an IMU."""
        w, x, y, z = self.data.sensor(f"{IMU_SITE}_framequat").data
        gyro, acceleration = (self.data.sensor(f"{IMU_SITE}_{kind}").data for kind in ("gyro", "accelerometer"))
        site = self.data.site(IMU_SITE)
        if self.model.body_weldid[self.model.site_bodyid[site.id]] == 0:
            # MuJoCo's accelerometer reads nothing on a body that is welded to the world.
            acceleration = -self.model.opt.gravity @ site.xmat.reshape(3, 3)
        return ImuSample(self.time, *(frozen("imu", v, (len(v),)) for v in ([x, y, z, w], gyro, acceleration)))

    @property
    def floating(self) -> bool:
        """Whether the base is free."""
        return self.config.base == "floating"

    def base(self) -> BaseMotion:
        """Return how a free base stands and moves; only where `floating`."""
        joint = self.model.joint("base")
        at, speed = int(joint.qposadr[0]), int(joint.dofadr[0])
        x, y, z, qw, qx, qy, qz = self.data.qpos[at : at + 7]
        rotation = self.data.xmat[self._base].reshape(3, 3)
        linear = self.data.qvel[speed : speed + 3] @ rotation  # MuJoCo: linear in the world, angular in the base
        angular = self.data.qvel[speed + 3 : speed + 6]
        return BaseMotion(self.time, np.array([x, y, z]), np.array([qx, qy, qz, qw]), linear, angular)

    def push(self, impulse: FloatArray) -> None:
        """Push the base for a tenth of a second; impulse in the world, shape (3,), [N·s]."""
        self.data.xfrc_applied[self._base, :3] = np.asarray(impulse, dtype=float) / _PUSH_TIME
        self._pushed = self.time + round(_PUSH_TIME * 1e9)

    def frame_position(self, frame: str) -> FloatArray:
        """Return where a frame of the description was at the beginning of the last step, base's frame, shape (3,), [m]."""
        return self.scene.frame_position(frame)

    def task_state(self) -> TaskState:
        """Return how far the task has come; without a task, an empty one."""
        return self.task.state(self.scene, self.time) if self.task else TaskState("", {}, False, self.time * 1e-9)

    def objects(self) -> Mapping[str, FloatArray]:
        """Return the task's objects by name: position [m] and xyzw quaternion in the base's frame, shape (7,) each."""
        return self.task_state().objects

    def render(self, camera: str | View = HEAD_CAMERA) -> Image:
        """Return a picture, shape (height, width, 3), uint8 RGB.

        Raises:
            RenderError: EGL is missing, or no camera has that name.
        """
        if self._renderer is None:
            self._renderer = Renderer(self.model, self.config.image_width, self.config.image_height)
        return self._renderer.render(self.data, camera)

    def close(self) -> None:
        """Free what rendering holds."""
        if self._renderer:
            self._renderer.close()
            self._renderer = None

    def _hang(self) -> None:
        """Hold a free base that nothing was commanded to."""
        if self._gantry and self._command is self._stand:
            self._gantry.hold(self.data)

    def _effort(self) -> FloatArray:
        """Return PD control with feed-forward within the effort limits, shape (n,), [N·m], layout order."""
        if self._received is not None and self.time - self._received > self._timeout:
            self._command, self._received = self._damp, None
        c, limit = self._command, self.robot.max_effort
        q, dq = self.data.qpos[self._qpos], self.data.qvel[self._qvel]
        effort: FloatArray = np.clip(c.stiffness * (c.position - q) + c.damping * (c.velocity - dq) + c.effort, -limit, limit)
        return effort


def _standing(robot: RobotModel, position: FloatArray) -> JointCommand:
    """Return the stand mode: start position, default gains, gravity carried."""
    rest = np.zeros_like(position)
    return JointCommand(0, position, rest, robot.gravity_effort(position), robot.stiffness, robot.damping)
