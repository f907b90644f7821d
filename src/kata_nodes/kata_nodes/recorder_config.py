# SPDX-License-Identifier: Apache-2.0
"""Parameters of the recorder."""

from dataclasses import dataclass

from kata_core.params import param

__all__ = ["RecorderConfig"]

_TOPICS = (
    "frames kata_msgs/msg/HumanFrames",
    "target kata_msgs/msg/JointCommand",
    "command kata_msgs/msg/JointCommand",
    "verdict kata_msgs/msg/Verdict",
    "joint_states sensor_msgs/msg/JointState",
    "imu sensor_msgs/msg/Imu",
    "task/state kata_msgs/msg/TaskState",
    "camera/head/image_raw/compressed sensor_msgs/msg/CompressedImage",
)


@dataclass(frozen=True)
class RecorderConfig:
    """What is recorded, and where to."""

    directory: str = param("runs/bags", doc="Folder that receives one folder for each episode.")
    topics: tuple[str, ...] = param(_TOPICS, doc="What is recorded: pairs of topic and type, joined by a space.")
    labels: tuple[str, ...] = param((), doc="Facts stored with each episode, as key=value, e.g. robot=g1.")
