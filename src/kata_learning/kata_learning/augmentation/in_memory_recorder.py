# SPDX-License-Identifier: Apache-2.0
"""Attempts in simulation as episodes of a dataset: observed at a policy's rate by the code that observes on the robot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_data.dataset import EpisodeEntry, Manifest
from kata_data.dataset.assemble import Steps
from kata_data.dataset.frames import write_frames
from kata_model.arrays import FloatArray
from kata_model.joints import JointCommand, JointState
from kata_model.robot import RobotModel
from kata_policy.observation import Observer
from kata_safety import SafetyConfig
from kata_sim import Controller
from kata_sim.demonstrations.session import TeleopLoop
from kata_teleop.scripted import ScriptedPerson

__all__ = ["ActionNoise", "Expert", "InMemoryRecorder", "manifest_of"]


@dataclass(frozen=True, slots=True)
class ActionNoise:
    """A disturbance of what is sent, while what is learned stays as it was meant (DART, Laskey et al. 2017).

    Attributes:
        size: Standard deviation of each joint's displacement [rad].
        memory: Time over which it changes [s] (an Ornstein-Uhlenbeck process).
    """

    size: float
    memory: float = 0.3


class Expert:
    """A `Controller`: a scripted person who engages at once, retargeting, and the safety filter."""

    def __init__(self, robot: RobotModel, operator: ScriptedPerson) -> None:
        """Let a person act; a new one for each attempt."""
        self._operator, self._loop = operator, TeleopLoop(robot, operator)

    def __call__(self, state: JointState, objects: Mapping[str, FloatArray]) -> JointCommand | None:
        """Return the command of one tick of the filter."""
        if not self._operator.engaged:
            self._operator.engage(state.stamp)
        return self._loop.step(state, objects).verdict.command


class InMemoryRecorder:
    """A `Controller` that lets another one act, and notes what was observed and meant."""

    def __init__(
        self,
        robot: RobotModel,
        actor: Controller,
        about: Manifest,
        noise: ActionNoise | None = None,
        seed: int = 0,
        look: Callable[[], NDArray[np.uint8]] | None = None,
    ) -> None:
        """Begin a page.

        Args:
            robot: The robot.
            actor: Called at each tick of the safety filter.
            about: Terms, joints and rate of the dataset that the episode is for.
            noise: How what is sent is disturbed.
            seed: Of that.
            look: Gives the head camera's picture, where pictures are noted too.
        """
        self._look = look
        self._actor, self._noise, self._rng = actor, noise, np.random.default_rng(seed)
        self._observer = Observer(robot, tuple(about.terms), about.joint_names)
        self._joints = robot.layout.indices(about.joint_names)
        self._tick, self._every = 0, round(SafetyConfig().rate / about.rate)
        self._off: FloatArray = np.zeros(len(self._joints))
        self._rows: list[dict[str, Any]] = []
        self._pictures: list[NDArray[np.uint8]] = []

    def __call__(self, state: JointState, objects: Mapping[str, FloatArray]) -> JointCommand | None:
        """Return what is sent: the actor's command, disturbed."""
        command = self._actor(state, objects)
        if command is not None and self._tick % self._every == 0:
            self._note(state, objects, command)
        self._tick += 1
        return command if command is None or self._noise is None else self._disturbed(command, self._noise)

    def _note(self, state: JointState, objects: Mapping[str, FloatArray], command: JointCommand) -> None:
        seen = self._observer.observe(state, objects)
        if seen is not None:
            number = self._tick // self._every
            meant = command.position[self._joints].astype(np.float32)
            slopes = self._observer.jacobian(state)
            self._rows.append({"seen": seen, "slopes": slopes, "action": meant, "stamp": state.stamp, "tick": number})
            if self._look is not None:
                self._pictures.append(self._look())

    def _disturbed(self, command: JointCommand, noise: ActionNoise) -> JointCommand:
        share = 1.0 / (SafetyConfig().rate * noise.memory)
        drawn = self._rng.normal(0.0, noise.size * np.sqrt(2.0 * share), len(self._off))
        self._off = self._off * (1.0 - share) + drawn
        position = np.array(command.position)
        position[self._joints] += self._off
        fields = (command.velocity, command.effort, command.stiffness, command.damping)
        return JointCommand(command.stamp, position, *fields)

    def steps(self, name: str, task: str, *, success: bool, folder: Path | None = None) -> Steps:
        """Return the episode under a name; it is for training. Pictures are written below the dataset's folder.

        Raises:
            OSError: The disk refuses pictures.
        """
        rows = self._rows
        stamp = np.array([row["stamp"] for row in rows], dtype=np.int64)
        frames = {}
        if folder is not None and self._pictures:
            frames["head"], _ = write_frames(self._pictures, len(self._pictures), folder)
        return Steps(
            entry=EpisodeEntry(name, len(rows), {}, "train", success, task, frames=frames),
            observation={spec.name: np.stack([row["seen"][spec.name] for row in rows]) for spec in self._observer.terms},
            sensitivity={spec.name: np.stack([row["slopes"][spec.name] for row in rows]) for spec in self._observer.terms},
            action=np.stack([row["action"] for row in rows]),
            stamp=stamp,
            state_stamp=stamp,
            tick=np.array([row["tick"] for row in rows], dtype=np.int32),
            intervention=np.zeros(len(rows), dtype=bool),
            frame={camera: np.arange(len(rows), dtype=np.int32) for camera in frames},
            frame_stamp=dict.fromkeys(frames, stamp),
        )


def manifest_of(robot: RobotModel, task: str, terms: tuple[str, ...], joints: tuple[str, ...], rate: float) -> Manifest:
    """Return what holds of a dataset of attempts; episodes and statistics are for `assemble`.

    Raises:
        ContractError: A term or joint is unknown.
    """
    observer, index = Observer(robot, terms, joints), robot.layout.indices(joints)
    return Manifest(
        robot=robot.description.name,
        task=task,
        rate=rate,
        tolerance=0.0,
        joint_names=joints,
        terms={spec.name: spec.shape for spec in observer.terms},
        stiffness=tuple(robot.stiffness[index].tolist()),
        damping=tuple(robot.damping[index].tolist()),
        statistics={},
        episodes=(),
    )
