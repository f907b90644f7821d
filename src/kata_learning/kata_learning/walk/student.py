# SPDX-License-Identifier: Apache-2.0
"""Clone a walking expert: labels along its own walks, with or without disturbance, and a network that learns them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from kata_learning.walk.expert import Network
from kata_learning.walk.gait import ACTIONS, OBSERVATION, STANCE_HEIGHT, Gait, GaitFacts
from kata_model.arrays import FloatArray
from kata_model.config.params import param
from kata_model.robot import RobotModel
from kata_sim import WalkConfig, WalkScene

__all__ = ["Labels", "StudentConfig", "collect_labels", "survival", "train_student"]


@dataclass(frozen=True)
class StudentConfig:
    """How labels are collected and learnt."""

    labels: int = param(77_000, low=100, high=10_000_000, doc="Observations that the expert labels.")
    seconds: float = param(10.0, unit="s", low=1.0, high=600.0, doc="Length of a walk.")
    noise: float = param(
        0.0, unit="1", low=0.0, high=3.0, doc="Spread of what is added to the expert's actions when they are carried out (DART)."
    )
    epochs: int = param(25, low=1, high=10_000, doc="Passes over the labels.")
    hidden: int = param(512, low=8, high=4096, doc="Width of the three hidden layers.")
    batch: int = param(512, low=8, high=65536, doc="Labels of a step.")
    rate: float = param(1e-3, low=1e-6, high=1.0, doc="Largest learning rate; it falls to zero by a cosine.")
    seed: int = param(0, low=0, high=2**31 - 1, doc="Seed of walks and network.")


@dataclass(frozen=True, slots=True)
class Labels:
    """What an expert would do.

    Attributes:
        observation: Shape (N, 100).
        action: Shape (N, 29).
        falls: Walks that ended by a fall while labels were collected.
    """

    observation: NDArray[np.float32]
    action: NDArray[np.float32]
    falls: int


def collect_labels(robot: RobotModel, expert: Network, facts: GaitFacts, walk: WalkConfig, config: StudentConfig) -> Labels:
    """Let the expert walk, disturbed or not, and note what it would do at each step.

    What is carried out is the expert's action plus noise, and the next observation shows what was carried out.
    """
    scene, gait, rng = WalkScene(robot, walk), Gait(robot.layout, facts, walk.rate), np.random.default_rng([config.seed, 1])
    seen, done, falls = np.empty((config.labels, OBSERVATION), np.float32), np.empty((config.labels, ACTIONS), np.float32), 0
    count, number = 0, 0
    while count < config.labels:
        gait.reset()
        stride = scene.reset([config.seed, number], gait.posture, STANCE_HEIGHT)
        number += 1
        for _ in range(min(round(config.seconds * walk.rate), config.labels - count)):
            seen[count] = gait.observe(stride)
            done[count] = expert(seen[count])
            noise = config.noise * rng.normal(size=ACTIONS)
            stride = scene.step(gait.act((done[count] + noise).astype(np.float32), stride.joints.stamp))
            count += 1
            if scene.fallen:
                falls += 1
                break
    return Labels(seen, done, falls)


def train_student(labels: Labels, config: StudentConfig) -> tuple[Network, float]:
    """Return a network that imitates the labels by least squares, and its last loss."""
    torch.manual_seed(config.seed)
    x, y = torch.from_numpy(labels.observation), torch.from_numpy(labels.action)
    mean, spread = x.mean(0), x.std(0).clamp(min=1e-3)
    widths = (OBSERVATION, config.hidden, config.hidden, config.hidden)
    layers = [part for i in range(3) for part in (nn.Linear(widths[i], widths[i + 1]), nn.ELU())]
    network = nn.Sequential(*layers, nn.Linear(config.hidden, ACTIONS))
    optimizer = torch.optim.Adam(network.parameters(), config.rate)
    steps = config.epochs * (len(x) // config.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    loss = torch.zeros(())
    for _ in range(steps):
        rows = torch.randint(len(x), (config.batch,))
        loss = nn.functional.mse_loss(network((x[rows] - mean) / spread), y[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()

    @torch.no_grad()
    def act(observation: NDArray[np.float32]) -> NDArray[np.float32]:
        action: NDArray[np.float32] = network((torch.from_numpy(observation) - mean) / spread).numpy()
        return action

    return act, float(loss.detach())


def survival(
    robot: RobotModel,
    network: Network,
    facts: GaitFacts,
    walk: WalkConfig,
    seeds: Sequence[int],
    on_walk: Callable[[float], None] | None = None,
    seconds: float = 10.0,
) -> FloatArray:
    """Return how long a network walks from each seed, at most some time [s], shape (len(seeds),)."""
    scene, gait, lasted = WalkScene(robot, walk), Gait(robot.layout, facts, walk.rate), []
    for seed in seeds:
        gait.reset()
        stride, steps = scene.reset(seed, gait.posture, STANCE_HEIGHT), 0
        while steps < round(seconds * walk.rate) and not scene.fallen:
            stride = scene.step(gait.act(network(gait.observe(stride)), stride.joints.stamp))
            steps += 1
        lasted.append(steps / walk.rate)
        if on_walk is not None:
            on_walk(lasted[-1])
    return np.array(lasted)
