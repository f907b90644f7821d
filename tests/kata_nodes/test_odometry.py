# SPDX-License-Identifier: Apache-2.0
"""The base's motion survives the way through a message."""

import numpy as np
import pytest

pytestmark = pytest.mark.ros


def test_round_trip() -> None:
    from kata_model.base_motion import BaseMotion
    from kata_nodes.odometry import base_from, odometry_to

    motion = BaseMotion(3_000_000_007, np.arange(3.0), np.array([0.5, -0.5, 0.5, 0.5]), np.arange(3.0, 6.0), np.arange(6.0, 9.0))
    message = odometry_to(motion, "pelvis")
    assert (message.header.frame_id, message.child_frame_id) == ("odom", "pelvis")
    back = base_from(message)
    assert back.stamp == motion.stamp
    for name in ("position", "orientation_xyzw", "linear_velocity", "angular_velocity"):
        assert np.array_equal(getattr(back, name), getattr(motion, name)), name
