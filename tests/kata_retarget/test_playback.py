# SPDX-License-Identifier: Apache-2.0
"""What `--play` sends: from where the robot is, through the motion, to its last posture, without a step."""

import numpy as np
import pytest

from kata_model import Trajectory, load_robot
from kata_retarget.playback import Playback

ROBOT = load_robot("toy")
STAMP = np.arange(61) / 30.0
ONES = np.ones((61, 1))


def motion(position: np.ndarray) -> Trajectory:
    return Trajectory(ROBOT.layout.names, position, 0 * ONES.repeat(3, 1), ONES * [0, 0, 0, 1], STAMP + 5.0, ONES.repeat(2, 1))


def test_it_begins_where_the_robot_is_and_ends_in_the_last_posture() -> None:
    wave = ROBOT.rest + 0.3 * np.sin(3.0 * STAMP)[:, None]
    start = ROBOT.rest - 0.2
    playback = Playback(ROBOT, motion(wave), start, velocity=0.5, settle=0.4)
    sent = np.array([playback.posture(t) for t in np.arange(0.0, playback.total, 0.01)])
    np.testing.assert_array_equal(sent[0], start)
    np.testing.assert_allclose(sent[-1], wave[-1], atol=1e-12)
    np.testing.assert_allclose(playback.posture(playback.lead + 1.0), wave[30], atol=1e-9)
    speed = np.abs(np.diff(sent, axis=0)).max(axis=1) / 0.01
    lead = round(playback.lead / 0.01) - 1
    assert speed[:lead].max() == pytest.approx(0.5 if playback.lead > 1.4 else 0.2 * 1.875, rel=0.01)
    assert speed.max() < 1.0


def test_what_lies_beyond_the_limits_is_not_sent() -> None:
    playback = Playback(ROBOT, motion(np.tile(ROBOT.upper + 1.0, (61, 1))), ROBOT.rest, velocity=1.0, settle=0.0)
    np.testing.assert_array_equal(playback.posture(playback.total), ROBOT.upper)
