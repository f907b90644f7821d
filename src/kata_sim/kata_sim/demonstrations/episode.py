# SPDX-License-Identifier: Apache-2.0
"""One demonstration without ROS: a scripted person, retargeting, the safety filter and the simulator in one loop.

What is said on the graph's topics is handed to a `Sink` in the same order and with the same stamps, but nothing is
ever late: the loop is the graph on an infinitely fast machine.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_model.errors import ConfigError
from kata_model.joints import JointCommand
from kata_sim import HEAD_CAMERA, Every, Simulation, encode_jpeg
from kata_sim.demonstrations.encoding import Encoder
from kata_sim.demonstrations.recorder import HEAD_TOPIC
from kata_sim.demonstrations.session import TeleopLoop, Tick
from kata_teleop.scripted import PersonConfig, make_person

__all__ = ["EpisodeConfig", "Outcome", "Sink", "perform"]

Sink = Callable[[str, bytes, int], None]
"""Takes topic, message and time [ns]."""

_RATE = 250.0
_TASK_RATE = 50.0


@dataclass(frozen=True)
class EpisodeConfig:
    """How an episode is shown."""

    noise: float = param(
        0.0, unit="rad", low=0.0, high=0.3, doc="Spread of what disturbs the arms (DART); recorded are the undisturbed commands."
    )
    noise_time: float = param(0.2, unit="s", low=0.01, high=5.0, doc="Time constant of that disturbance.")
    camera_rate: float = param(0.0, unit="Hz", low=0.0, high=60.0, doc="Rate of the head camera's pictures; 0 is none.")
    jpeg_quality: int = param(90, low=1, high=100, doc="Quality of the pictures.")
    still: float = param(0.1, unit="s", low=0.0, high=5.0, doc="Time at rest before the person engages.")
    linger: float = param(0.3, unit="s", low=0.0, high=10.0, doc="How long an episode goes on after success.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an episode.

    Attributes:
        success: Whether the task was done in time.
        elapsed: Simulated time until then, or until the end [s].
    """

    success: bool
    elapsed: float


def perform(simulation: Simulation, config: EpisodeConfig, seed: tuple[int, int], encoder: Encoder, sink: Sink) -> Outcome:
    """Show the simulation's task once.

    Args:
        simulation: Robot and scene; it has a task that a person can show.
        config: How it is shown.
        seed: Session and number of the episode; equal seeds give equal episodes.
        encoder: Of the robot's messages.
        sink: Takes the messages.

    Raises:
        ConfigError: There is no task, or nobody can show it.
        OSError: The sink's disk refuses.
    """
    if simulation.task is None:
        raise ConfigError("there is no task to show", where=simulation.robot.description.name)
    rng = np.random.default_rng([*seed, 1])
    person = make_person(simulation.task.name, PersonConfig(seed=int(rng.integers(2**31 - 1))))
    simulation.reset(list(seed), time=0)  # streams keep to grids of time: an episode must not depend on those before it
    topics = _TopicWriter(simulation, config, encoder, sink)
    loop = _EpisodeLoop(simulation, TeleopLoop(simulation.robot, person), config, rng, topics)
    loop.run(config.still)
    person.engage(simulation.time)
    loop.run(simulation.task.timeout, until_success=True)
    outcome = Outcome(simulation.task_state().success, simulation.task_state().elapsed)
    loop.run(config.linger)
    return outcome


class _EpisodeLoop:
    """Lets time pass, tick by tick of the safety filter."""

    def __init__(
        self, simulation: Simulation, loop: TeleopLoop, config: EpisodeConfig, rng: np.random.Generator, topics: "_TopicWriter"
    ) -> None:
        self._simulation, self._loop, self._topics = simulation, loop, topics
        self._steps = round(1.0 / (_RATE * simulation.config.timestep))
        self._noise = _ActionNoise(simulation, config, rng)
        self._seen = simulation.objects()

    def run(self, seconds: float, *, until_success: bool = False) -> None:
        end = self._simulation.time + round(seconds * 1e9)
        while self._simulation.time < end and not (until_success and self._simulation.task_state().success):
            self._tick()

    def _tick(self) -> None:
        simulation = self._simulation
        if self._topics.sensors():
            self._seen = simulation.objects()
        tick = self._loop.step(simulation.joint_state(), self._seen)
        self._topics.decisions(tick)
        if tick.verdict.command is not None:
            simulation.command(self._noise(tick.verdict.command))
        simulation.step(self._steps)


class _TopicWriter:
    """Writes what the graph's nodes would publish."""

    def __init__(self, simulation: Simulation, config: EpisodeConfig, encoder: Encoder, sink: Sink) -> None:
        self._simulation, self._config, self._encoder, self._sink = simulation, config, encoder, sink
        facts = simulation.facts
        self._imu, self._camera = facts.imu_link, facts.camera.link if facts.camera else ""
        self._task_due, self._camera_due = Every(_TASK_RATE), Every(config.camera_rate if self._camera else 0.0)

    def sensors(self) -> bool:
        """Write what is measured now; return whether the task's state was told, too."""
        simulation, now, encoder = self._simulation, self._simulation.time, self._encoder
        self._sink("joint_states", encoder.joint_state(simulation.joint_state()), now)
        if self._imu:
            self._sink("imu", encoder.imu(simulation.imu(), self._imu), now)
        if self._camera_due.due(now):
            jpeg = encode_jpeg(simulation.render(HEAD_CAMERA), self._config.jpeg_quality)
            self._sink(HEAD_TOPIC, encoder.jpeg(now, jpeg, self._camera), now)
        told = self._task_due.due(now)
        if told:
            self._sink("task/state", encoder.task_state(now, simulation.task_state()), now)
        return told

    def decisions(self, tick: Tick) -> None:
        """Write what person, retargeting and filter made of it."""
        now = tick.verdict.stamp
        if tick.frames is not None:
            self._sink("frames", self._encoder.frames(tick.frames), now)
        if tick.target is not None:
            self._sink("target", self._encoder.command(tick.target), now)
        if tick.verdict.command is not None:
            self._sink("command", self._encoder.command(tick.verdict.command), now)
        self._sink("verdict", self._encoder.verdict(tick.verdict, tick.state), now)


class _ActionNoise:
    """Action noise: adds an Ornstein–Uhlenbeck process to the arms' commanded positions (DART, Laskey et al. 2017, CoRL)."""

    def __init__(self, simulation: Simulation, config: EpisodeConfig, rng: np.random.Generator) -> None:
        robot = simulation.robot
        joints = {joint for spec in robot.description.hands.values() for joint in spec.joints}
        self._spread: FloatArray = np.where([name in joints for name in robot.layout.names], config.noise, 0.0)
        self._keep = float(np.exp(-1.0 / (_RATE * config.noise_time)))
        self._rng, self._robot = rng, robot
        self._now: FloatArray = np.zeros(len(robot.layout))

    def __call__(self, command: JointCommand) -> JointCommand:
        if not self._spread.any():
            return command
        fresh = self._rng.normal(size=len(self._now))
        self._now = self._keep * self._now + np.sqrt(1.0 - self._keep**2) * self._spread * fresh
        position = self._robot.clamp(command.position + self._now)
        return JointCommand(command.stamp, position, command.velocity, command.effort, command.stiffness, command.damping)
