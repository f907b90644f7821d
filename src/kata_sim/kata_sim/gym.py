# SPDX-License-Identifier: Apache-2.0
"""The tasks as Gymnasium environments, for those who train with other tools than Kata's.

An action places both arms' joints, each from −1 (its lower limit) to 1 (its upper one), at 50 Hz; the rest of the robot
stays at rest. The safety filter is not in between: these environments are for learning, `kata evaluate` for judging.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from kata_model.errors import ConfigError
from kata_model.joints import JointCommand
from kata_model.robot import load_robot
from kata_sim.config import SimConfig
from kata_sim.randomization import Randomization
from kata_sim.simulation import Simulation
from kata_sim.tasks import TASKS
from kata_sim.world.model import HEAD_CAMERA
from kata_sim.world.room import SCENE_CAMERA

__all__ = ["RATE", "TaskEnv", "TaskEnvConfig", "register"]

RATE = 50
"""Of decisions [Hz]."""

_KINDS = ("state", "pixels")


@dataclass(frozen=True, slots=True)
class TaskEnvConfig:
    """What an environment is like.

    Attributes:
        robot: Name or path of the robot's folder of data.
        observation: ``state``: joints and objects as one vector; ``pixels``: joints, and pictures of the head camera.
        width: Of pictures [px].
        height: Of pictures [px].
        randomization: What differs from reset to reset; None for nothing but the task's own draw.
    """

    robot: str = "g1"
    observation: str = "state"
    width: int = 160
    height: int = 120
    randomization: Randomization | None = None


class TaskEnv(gymnasium.Env[Any, NDArray[np.float32]]):
    """One task; the reward is 1 in the step that achieves it, which ends the episode, and 0 else.

    Args:
        task: Name of the task.
        config: What the environment is like; None for the defaults.
        render_mode: ``rgb_array`` for pictures of the watching camera by `render`, or None.

    Raises:
        ConfigError: The robot has no such task, or the kind of observation is unknown.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": RATE}  # noqa: RUF012 (gymnasium's interface)

    def __init__(self, task: str = "reach", config: TaskEnvConfig | None = None, render_mode: str | None = None) -> None:
        """Build the scene."""
        self._config = config = config or TaskEnvConfig()
        if config.observation not in _KINDS:
            raise ConfigError(f"no kind of observation {config.observation!r}", fix=f"there is: {', '.join(_KINDS)}")
        self.render_mode = render_mode
        self._robot = robot = load_robot(config.robot)
        size = SimConfig(image_width=config.width, image_height=config.height)
        self._simulation = Simulation(robot, size, task, config.randomization)
        hands = robot.description.hands.values()
        self._joints = np.array(robot.layout.indices(dict.fromkeys(joint for spec in hands for joint in spec.joints)))
        self._steps = round(1.0 / (RATE * self._simulation.config.timestep))
        self.action_space = spaces.Box(-1.0, 1.0, (len(self._joints),), np.float32)
        self.observation_space = self._space()

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Lay the scene out anew and return the observation and facts; options are not used."""
        super().reset(seed=seed)
        self._simulation.reset(int(self.np_random.integers(2**31 - 1)))
        return self._observe(), self._facts()

    def step(self, action: NDArray[np.float32]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act for 20 ms; values beyond ±1 are taken as ±1."""
        simulation, robot = self._simulation, self._robot
        share = 0.5 + 0.5 * np.clip(np.asarray(action, dtype=float), -1.0, 1.0)
        lower, upper = robot.lower[self._joints], robot.upper[self._joints]
        position = np.array(robot.rest)
        position[self._joints] = lower + share * (upper - lower)
        state = simulation.joint_state()
        weight, still = robot.gravity_effort(state.position), np.zeros(len(position))
        simulation.command(JointCommand(state.stamp, position, still, weight, robot.stiffness, robot.damping))
        simulation.step(self._steps)
        done, late = simulation.task_state().success, simulation.task_state().elapsed >= self._timeout
        return self._observe(), float(done), done, late and not done, self._facts()

    def action_of(self, command: JointCommand) -> NDArray[np.float32]:
        """Return the action that asks for the arms of a command, such as an expert's."""
        lower, upper = self._robot.lower[self._joints], self._robot.upper[self._joints]
        share = (command.position[self._joints] - lower) / (upper - lower)
        action: NDArray[np.float32] = np.clip(2.0 * share - 1.0, -1.0, 1.0).astype(np.float32)
        return action

    @property
    def simulation(self) -> Simulation:
        """The simulation, for experts and rendering."""
        return self._simulation

    def render(self) -> NDArray[np.uint8] | None:
        """Return a picture of the watching camera, shape (height, width, 3), if the render mode asks for it."""
        return self._simulation.render(SCENE_CAMERA) if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Free what rendering holds."""
        self._simulation.close()

    @property
    def _timeout(self) -> float:
        return self._simulation.task.timeout if self._simulation.task else np.inf

    def _space(self) -> spaces.Space[Any]:
        joints = spaces.Box(-np.inf, np.inf, (2 * len(self._joints),), np.float32)
        if self._config.observation == "pixels":
            picture = spaces.Box(0, 255, (self._config.height, self._config.width, 3), np.uint8)
            return spaces.Dict({"joints": joints, HEAD_CAMERA: picture})
        return spaces.Box(-np.inf, np.inf, (2 * len(self._joints) + 7 * len(self._simulation.objects()),), np.float32)

    def _observe(self) -> Any:
        state = self._simulation.joint_state()
        joints = np.concatenate([state.position[self._joints], state.velocity[self._joints]]).astype(np.float32)
        if self._config.observation == "pixels":
            return {"joints": joints, HEAD_CAMERA: self._simulation.render(HEAD_CAMERA)}
        return np.concatenate([joints, *self._simulation.objects().values()]).astype(np.float32)

    def _facts(self) -> dict[str, Any]:
        return {"success": self._simulation.task_state().success}


def register() -> None:
    """Make ``gymnasium.make("Kata/Reach-v0")`` and the other tasks known to Gymnasium."""
    for task in TASKS:
        gymnasium.register(f"Kata/{task.capitalize()}-v0", entry_point="kata_sim.gym:TaskEnv", kwargs={"task": task})
