# SPDX-License-Identifier: Apache-2.0
"""Messages to dataclasses and back; the only module that knows both.

What comes from outside is brought into layout order here, once, by name. A message that cannot be
converted becomes None and a reason, never an exception; numbers that are not finite pass, because the
safety filter judges them.
"""

from array import array
from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, Quaternion
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image, Imu
from sensor_msgs.msg import JointState as JointStateMsg
from std_msgs.msg import Header

from kata_data.recording.episode import EpisodeMachine, MarkKind
from kata_model.arrays import FloatArray
from kata_model.frames import HumanFrames
from kata_model.joint_states import JointStates
from kata_model.joints import JointCommand, JointLayout, JointState
from kata_model.verdict import Reason, Status, Verdict
from kata_msgs.msg import BodyPose, EngageState, EpisodeMark, EpisodeState, TaskState
from kata_msgs.msg import FilterState as FilterStateMsg
from kata_msgs.msg import HumanFrames as HumanFramesMsg
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_msgs.msg import Verdict as VerdictMsg
from kata_safety import FilterState
from kata_safety.state import recorded
from kata_teleop.engage import EngageStatus, LinkMonitor

__all__ = [
    "Converted",
    "JointConverter",
    "engage_to",
    "episode_to",
    "frames_from",
    "frames_to",
    "from_time",
    "image_to",
    "imu_to",
    "jpeg_to",
    "mark_to",
    "objects_from",
    "task_state_to",
    "to_time",
]

T = TypeVar("T")


class Converted(NamedTuple, Generic[T]):
    """A converted message, or why there is none (a name from `kata_model.Reason`)."""

    value: T | None
    fault: str = ""


def from_time(stamp: Time) -> int:
    """Return a message's stamp [ns]."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def to_time(stamp: int) -> Time:
    """Return a stamp [ns] as a message; it must fit 32 bits of seconds, i.e. lie in 1901–2038."""
    sec, nanosec = divmod(stamp, 1_000_000_000)
    return Time(sec=sec, nanosec=nanosec)


class JointConverter:
    """Convert what has one number per joint; remembers the order in which a peer names the joints."""

    def __init__(self, layout: JointLayout) -> None:
        """Take the robot's joint order; `heard` is what is known of its joints."""
        self._layout = layout
        self._names = list(layout.names)
        self.heard = JointStates(layout)
        self._foreign: list[str] | None = None
        self._order: list[int] | None = None

    def hear(self, message: JointStateMsg) -> str:
        """Take a measured state into `heard`; return why not, if not."""
        stamp = from_time(message.header.stamp)
        return self.heard.hear(message.name, message.position, message.velocity, message.effort, stamp)

    def state_from(self, message: JointStateMsg) -> Converted[JointState]:
        """Convert a measured state, put together with what was heard of other joints before; all must have been."""
        fault = self.hear(message) or (Reason.WRONG_JOINTS if self.heard.missing else "")
        return Converted(None, fault) if fault else Converted(self.heard.state)

    def state_to(self, state: JointState) -> JointStateMsg:
        """Return a state as a message, all joints in layout order."""
        return JointStateMsg(
            header=_header(state.stamp),
            name=self._names,
            position=_doubles(state.position),
            velocity=_doubles(state.velocity),
            effort=_doubles(state.effort),
        )

    def command_from(self, message: JointCommandMsg) -> Converted[JointCommand]:
        """Convert a target or command; it must name every joint of the robot."""
        order = self._order_of(message.names)
        fields = (message.position, message.velocity, message.effort, message.stiffness, message.damping)
        if order is None or any(len(values) != len(message.names) for values in fields):
            return Converted(None, Reason.WRONG_JOINTS)
        return Converted(JointCommand(from_time(message.header.stamp), *(np.asarray(v, dtype=float)[order] for v in fields)))

    def command_to(self, command: JointCommand) -> JointCommandMsg:
        """Return a command as a message, all joints in layout order."""
        return JointCommandMsg(
            header=_header(command.stamp),
            names=self._names,
            position=_doubles(command.position),
            velocity=_doubles(command.velocity),
            effort=_doubles(command.effort),
            stiffness=_doubles(command.stiffness),
            damping=_doubles(command.damping),
        )

    def verdict_to(self, verdict: Verdict, state: FilterState | None = None) -> VerdictMsg:
        """Return a verdict as a message, and what the filter remembers, if that is told; its command travels on its own topic."""
        return VerdictMsg(
            header=_header(verdict.stamp),
            status=int(verdict.status),
            reasons=list(verdict.reasons),
            names=self._names,
            joint_flags=array("B", verdict.joint_flags.tobytes()),
            state=[] if state is None else [_filter_state(state)],
            source_stamp=to_time(verdict.source_stamp),
            target_stamp=to_time(verdict.target_stamp),
            command_stamp=to_time(verdict.stamp),
            state_stamp=to_time(verdict.state_stamp),
        )

    def verdict_from(self, message: VerdictMsg) -> Converted[Verdict]:
        """Convert a verdict; its command is None."""
        order = self._order_of(message.names)
        if order is None or len(message.joint_flags) != len(message.names) or message.status not in list(Status):
            return Converted(None, Reason.WRONG_JOINTS)
        flags = np.array(message.joint_flags, dtype=np.uint8)[order]
        stamps = (
            from_time(message.source_stamp),
            from_time(message.target_stamp),
            from_time(message.header.stamp),
            from_time(message.state_stamp),
        )
        return Converted(Verdict(Status(message.status), tuple(message.reasons), flags, None, *stamps))

    def _order_of(self, names: list[str]) -> list[int] | None:
        if names != self._foreign:
            self._foreign, self._order = list(names), self._layout.order_of(names)
        return self._order


def frames_from(message: HumanFramesMsg) -> HumanFrames:
    """Convert human frames; every message can be."""
    poses = [
        (p.position.x, p.position.y, p.position.z, o.x, o.y, o.z, o.w, body.confidence)
        for body in message.bodies
        for p, o in ((body.pose, body.pose.orientation),)
    ]
    values = np.array(poses, dtype=float).reshape(-1, 8)
    return HumanFrames(
        stamp=from_time(message.header.stamp),
        source=message.source,
        engaged=message.engaged,
        names=tuple(body.name for body in message.bodies),
        position=values[:, :3],
        orientation_xyzw=values[:, 3:7],
        confidence=values[:, 7],
    )


def frames_to(frames: HumanFrames, frame_id: str = "human_world") -> HumanFramesMsg:
    """Return human frames as a message; frame_id names the source's world."""
    rows = zip(frames.names, frames.position.tolist(), frames.orientation_xyzw.tolist(), frames.confidence.tolist(), strict=True)
    return HumanFramesMsg(
        header=_header(frames.stamp, frame_id),
        source=frames.source,
        engaged=frames.engaged,
        bodies=[BodyPose(name=name, pose=_pose(xyz, xyzw), confidence=confidence) for name, xyz, xyzw, confidence in rows],
    )


def engage_to(stamp: int, source: str, status: EngageStatus, link: LinkMonitor | None = None) -> EngageState:
    """Return where a source's engage contract stands as a message; a source without a network has no link."""
    hands = list(status.hands.values())
    return EngageState(
        header=_header(stamp),
        source=source,
        phase=int(status.phase),
        cause=status.cause,
        mode=status.mode,
        scale=float(status.scale),
        precise=status.precise,
        hands=list(status.hands),
        tracked=[hand.tracked for hand in hands],
        clutched=[hand.clutched for hand in hands],
        mismatch=[float(hand.mismatch) for hand in hands],
        delay=link.delay if link else 0.0,
        jitter=link.jitter if link else 0.0,
    )


def objects_from(message: TaskState) -> dict[str, FloatArray]:
    """Return the poses of a task's objects by name, position [m] and xyzw quaternion, shape (7,), in the robot's base frame."""
    return {
        body.name: np.array([p.x, p.y, p.z, o.x, o.y, o.z, o.w])
        for body in message.objects
        for p, o in ((body.pose.position, body.pose.orientation),)
    }


def task_state_to(
    stamp: int, task: str, objects: Mapping[str, FloatArray], success: bool, elapsed: float, frame_id: str = "base"
) -> TaskState:
    """Return a task's state as a message.

    Args:
        stamp: Time of measurement [ns].
        task: Name of the task.
        objects: By name, position of shape (3,) or position and xyzw quaternion of shape (7,), [m], base frame.
        success: Whether the criterion holds.
        elapsed: Time since the last reset [s].
        frame_id: Name of the base frame.
    """
    bodies = [BodyPose(name=name, pose=_object_pose(values), confidence=1.0) for name, values in objects.items()]
    return TaskState(header=_header(stamp, frame_id), task=task, objects=bodies, success=success, elapsed=float(elapsed))


def episode_to(stamp: int, machine: EpisodeMachine, path: str, messages: int, note: str) -> EpisodeState:
    """Return the recorder's state as a message.

    Args:
        stamp: Time of the change [ns].
        machine: Phase and counts.
        path: Folder of the last episode that was saved.
        messages: Messages in the running episode.
        note: What an operator should know.
    """
    return EpisodeState(
        header=_header(stamp),
        state=int(machine.phase),
        task=machine.task,
        path=path,
        saved=machine.saved,
        discarded=machine.discarded,
        messages=messages,
        note=note,
    )


def mark_to(stamp: int, kind: MarkKind, label: str) -> EpisodeMark:
    """Return a point of an episode at a time [ns] as a message."""
    return EpisodeMark(header=_header(stamp), kind=int(kind), label=label)


def imu_to(stamp: int, orientation_xyzw: FloatArray, gyro: FloatArray, acceleration: FloatArray, frame_id: str) -> Imu:
    """Return a sample of an IMU as a message: quaternion (4,), [rad/s] (3,) and [m/s²] (3,), in the sensor's frame."""
    message = Imu(header=_header(stamp, frame_id))
    message.orientation = Quaternion(**dict(zip("xyzw", orientation_xyzw.tolist(), strict=True)))
    for vector, values in ((message.angular_velocity, gyro), (message.linear_acceleration, acceleration)):
        vector.x, vector.y, vector.z = values.tolist()
    return message


def jpeg_to(stamp: int, jpeg: bytes, frame_id: str) -> CompressedImage:
    """Return an encoded picture as a message."""
    return CompressedImage(header=_header(stamp, frame_id), format="jpeg", data=array("B", jpeg))


def image_to(stamp: int, rgb: NDArray[np.uint8], frame_id: str) -> Image:
    """Return a picture, RGB of shape (height, width, 3), as a message."""
    height, width, _ = rgb.shape
    data = array("B", rgb.tobytes())
    return Image(header=_header(stamp, frame_id), height=height, width=width, encoding="rgb8", step=3 * width, data=data)


def _filter_state(state: FilterState) -> FilterStateMsg:
    fields = recorded(state)
    arrays = {name: array(v.dtype.char, v.tobytes()) for name, v in fields.items() if isinstance(v, np.ndarray)}
    return FilterStateMsg(**{**fields, **arrays})


def _header(stamp: int, frame_id: str = "") -> Header:
    return Header(stamp=to_time(stamp), frame_id=frame_id)


def _doubles(values: FloatArray) -> "array[float]":
    """Return the values as messages hold them; through bytes, since element by element takes 20 times as long."""
    return array("d", values.tobytes())


def _pose(xyz: list[float], xyzw: list[float]) -> Pose:
    x, y, z, w = xyzw
    return Pose(position=Point(x=xyz[0], y=xyz[1], z=xyz[2]), orientation=Quaternion(x=x, y=y, z=z, w=w))


def _object_pose(values: FloatArray) -> Pose:
    listed = [*np.asarray(values, dtype=float).tolist(), 0.0, 0.0, 0.0, 1.0]
    return _pose(listed[:3], listed[3:7])
