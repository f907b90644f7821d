# SPDX-License-Identifier: Apache-2.0
"""Following a target that tells no velocities: little lag, no faltering between samples, little overshoot."""

import numpy as np
import pytest

from kata_model import JointCommand
from kata_safety import JointLimits, SafetyConfig
from kata_safety.qp.motion import Commanded
from kata_safety.state import Following
from kata_safety.target_interpolator import TargetInterpolator, Wanted

PERIOD, ACCELERATION, TICK = 0.004, 60.0, 4_000_000
SAMPLE = 16_666_667


class Bench:
    """An interpolator of one joint, moved within plain joint limits."""

    def __init__(self) -> None:
        self.limits = JointLimits(np.array([-9.0]), np.array([9.0]), np.array([10.0]), np.array([ACCELERATION]), PERIOD)
        self.interpolator, self.memory = TargetInterpolator(self.limits, SafetyConfig()), Following()
        self.now, self.position, self.velocity = 10**9, np.zeros(1), np.zeros(1)
        self.start = self.now

    def run(self, seconds: float, goal_at, latency: int = 3_000_000) -> tuple[np.ndarray, np.ndarray]:
        """Follow samples of a goal by time [s]; return times and positions."""
        times, positions = [], []
        for _ in range(round(seconds / PERIOD)):
            self.now += TICK
            taken = (self.now - self.start - latency) // SAMPLE * SAMPLE
            rest = np.zeros(1)
            command = JointCommand(self.start + taken, np.array([goal_at(taken * 1e-9)]), rest, rest, rest, rest)
            wanted = self.follow(command)
            step = self.limits.step(self.position, self.velocity, self.position + PERIOD * wanted.velocity)
            self.position, self.velocity = step.position, step.velocity
            times.append((self.now - self.start) * 1e-9)
            positions.append(float(self.position[0]))
        return np.array(times), np.array(positions)

    def follow(self, command: JointCommand) -> Wanted:
        """Follow a target for a tick."""
        engaged = self.interpolator.engage(self.memory, command, self.position, self.now)
        at = Commanded(self.position, self.velocity, True, self.position, self.position)
        self.memory, wanted = self.interpolator.follow(engaged, command, at, self.now)
        return wanted


def test_a_steady_motion_is_followed_without_faltering_and_with_little_lag() -> None:
    times, positions = Bench().run(1.5, lambda t: 2.0 * max(t, 0.0))
    late = times > 0.8
    lag = times[late] - positions[late] / 2.0
    assert lag.max() < 0.035
    speed = np.diff(positions[late]) / PERIOD
    assert speed == pytest.approx(2.0, abs=0.35)


def test_a_fast_swing_is_followed_within_milliseconds() -> None:
    times, positions = Bench().run(3.0, lambda t: 0.5 * np.sin(2 * np.pi * 1.5 * t))
    shifts = np.arange(0.0, 0.12, 0.004)
    late = times > 1.0
    errors = [np.abs(positions[late] - 0.5 * np.sin(2 * np.pi * 1.5 * (times[late] - s))).max() for s in shifts]
    assert shifts[int(np.argmin(errors))] <= 0.04
    assert min(errors) < 0.02


def test_a_jump_is_hardly_overshot() -> None:
    _, positions = Bench().run(1.5, lambda t: 0.5 if t > 0.2 else 0.0)
    assert positions.max() < 0.55
    assert positions[-1] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("mismatch", [0.3, 0.8])
def test_warming_in_lasts_as_the_mismatch_is_large(mismatch: float) -> None:
    bench, config = Bench(), SafetyConfig()
    rest, caps = np.zeros(1), []
    for _ in range(700):
        bench.now += TICK
        command = JointCommand(bench.now, np.array([mismatch]), rest, rest, rest, rest)
        caps.append(bench.follow(command).cap)
    warm = np.isfinite(caps).sum() * PERIOD
    assert caps[0] == config.warm_in_velocity
    assert warm == pytest.approx(config.warm_in_time * min(1.0, 2.0 * mismatch / config.engage_refusal), abs=2 * PERIOD)
