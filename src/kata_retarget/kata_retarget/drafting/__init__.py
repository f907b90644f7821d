# SPDX-License-Identifier: Apache-2.0
"""From a URDF to a robot's folder of data."""

from kata_retarget.drafting.check import check_robot
from kata_retarget.drafting.folder import PICTURE, add_robot, name_of

__all__ = ["PICTURE", "add_robot", "check_robot", "name_of"]
