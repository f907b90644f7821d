# SPDX-License-Identifier: Apache-2.0
"""What a robot and its nodes say, as the bytes (CDR) that the graph would carry.

Joint messages differ in stamp and numbers alone, and verdicts in little more; a template of each is filled in, which
takes microseconds where a general serialiser walks through the names of all joints.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from kata_data.bags.cdr import FIELDS, number_slices
from kata_data.bags.definitions import message_definition
from kata_model.arrays import FloatArray
from kata_model.frames import HumanFrames
from kata_model.joints import JointCommand, JointState
from kata_model.verdict import Verdict
from kata_safety import FilterState
from kata_safety.state import recorded
from kata_sim import ImuSample, TaskState

__all__ = ["TYPES", "Encoder"]

_STATE, _COMMAND = "sensor_msgs/msg/JointState", "kata_msgs/msg/JointCommand"
_VERDICT, _TASK, _FRAMES = "kata_msgs/msg/Verdict", "kata_msgs/msg/TaskState", "kata_msgs/msg/HumanFrames"
_IMU, _JPEG = "sensor_msgs/msg/Imu", "sensor_msgs/msg/CompressedImage"
TYPES = (_STATE, _COMMAND, _VERDICT, _TASK, _FRAMES, _IMU, _JPEG)
"""Message types that are written."""

_FILTER_STATE = "kata_msgs/msg/FilterState"
_STAMPS = ("source_stamp", "target_stamp", "command_stamp", "state_stamp")
_STAMP = struct.Struct("<iI")
_STAMP_AT = 4
_MARK = 0xA5


class Encoder:
    """Serialises for one robot.

    Args:
        names: Joint names in layout order.
        base: Frame in which objects are.
        human: Frame in which the person is.
    """

    def __init__(self, names: Sequence[str], base: str, human: str = "human_world") -> None:
        """Read the message definitions.

        Raises:
            ConfigError: The workspace's messages are not installed.
        """
        self._names, self._base, self._human = list(names), base, human
        self._store = get_typestore(Stores.EMPTY)
        types: dict[str, Any] = {}
        for name in TYPES:
            types.update(get_types_from_msg(message_definition(name).definition, name))
        self._store.register(types)
        zeros = np.zeros(len(names))
        self._state = self._template(_STATE, name=self._names, **dict.fromkeys(FIELDS[_STATE], zeros))
        self._command = self._template(_COMMAND, names=self._names, **dict.fromkeys(FIELDS[_COMMAND], zeros))
        self._verdicts: dict[tuple[int, tuple[str, ...]], tuple[bytes, int]] = {}

    def joint_state(self, state: JointState) -> bytes:
        """Return a sensor_msgs/JointState."""
        return _filled(self._state, state.stamp, (state.position, state.velocity, state.effort))

    def command(self, command: JointCommand) -> bytes:
        """Return a kata_msgs/JointCommand."""
        c = command
        return _filled(self._command, c.stamp, (c.position, c.velocity, c.effort, c.stiffness, c.damping))

    def verdict(self, verdict: Verdict, state: FilterState | None = None) -> bytes:
        """Return a kata_msgs/Verdict, with what the filter remembers, if that is told."""
        if state is not None:
            return self._verdict_with(verdict, state)
        key = int(verdict.status), verdict.reasons
        if key not in self._verdicts:
            self._verdicts[key] = self._verdict_template(*key)
        template, flags = self._verdicts[key]
        data = bytearray(template)
        _STAMP.pack_into(data, _STAMP_AT, *divmod(verdict.stamp, 1_000_000_000))
        data[flags : flags + len(self._names)] = verdict.joint_flags.tobytes()
        stamps = (verdict.source_stamp, verdict.target_stamp, verdict.stamp, verdict.state_stamp)
        for i, stamp in enumerate(stamps):
            _STAMP.pack_into(data, len(data) - _STAMP.size * (4 - i), *divmod(stamp, 1_000_000_000))
        return bytes(data)

    def _verdict_with(self, verdict: Verdict, state: FilterState) -> bytes:
        told = self._store.types[_FILTER_STATE](**recorded(state))
        times = (verdict.source_stamp, verdict.target_stamp, verdict.stamp, verdict.state_stamp)
        stamps = dict(zip(_STAMPS, map(self._time, times), strict=True))
        fields = {"status": int(verdict.status), "reasons": list(verdict.reasons), "names": self._names}
        flags = np.array(verdict.joint_flags)
        return self._write(_VERDICT, header=self._header(verdict.stamp, ""), **fields, joint_flags=flags, state=[told], **stamps)

    def task_state(self, stamp: int, state: TaskState) -> bytes:
        """Return a kata_msgs/TaskState measured at a time [ns]."""
        things = [self._body(name, pose[:3], pose[3:], 1.0) for name, pose in state.objects.items()]
        fields = {"task": state.task, "objects": things, "success": state.success, "elapsed": state.elapsed}
        return self._write(_TASK, header=self._header(stamp, self._base), **fields)

    def frames(self, frames: HumanFrames) -> bytes:
        """Return a kata_msgs/HumanFrames."""
        rows = zip(frames.names, frames.position, frames.orientation_xyzw, frames.confidence, strict=True)
        bodies = [self._body(name, place, turn, float(confidence)) for name, place, turn, confidence in rows]
        fields = {"source": frames.source, "engaged": frames.engaged, "bodies": bodies}
        return self._write(_FRAMES, header=self._header(frames.stamp, self._human), **fields)

    def imu(self, sample: ImuSample, link: str) -> bytes:
        """Return a sensor_msgs/Imu of a sensor at a link."""
        unknown = {f"{name}_covariance": np.zeros(9) for name in ("orientation", "angular_velocity", "linear_acceleration")}
        return self._write(
            _IMU,
            header=self._header(sample.stamp, link),
            orientation=self._quaternion(sample.orientation_xyzw),
            angular_velocity=self._vector("Vector3", sample.angular_velocity),
            linear_acceleration=self._vector("Vector3", sample.linear_acceleration),
            **unknown,
        )

    def jpeg(self, stamp: int, data: bytes, link: str) -> bytes:
        """Return a sensor_msgs/CompressedImage of a camera at a link, taken at a time [ns]."""
        pixels = np.frombuffer(data, dtype=np.uint8)
        return self._write(_JPEG, header=self._header(stamp, link), format="jpeg", data=pixels)

    def _template(self, kind: str, **fields: Any) -> tuple[bytes, Mapping[str, slice]]:
        data = self._write(kind, header=self._header(0, ""), **fields)
        return data, number_slices(data, kind)

    def _verdict_template(self, status: int, reasons: tuple[str, ...]) -> tuple[bytes, int]:
        """Return a verdict's bytes, and where its flags begin in them."""
        never = self._time(0)
        stamps = dict.fromkeys(_STAMPS, never)
        flags = np.full(len(self._names), _MARK, dtype=np.uint8)
        fields = {"status": status, "reasons": list(reasons), "names": self._names, "joint_flags": flags, "state": []}
        data = self._write(_VERDICT, header=self._header(0, ""), **fields, **stamps)
        return data, data.index(bytes([_MARK]) * len(self._names))

    def _write(self, kind: str, **fields: Any) -> bytes:
        return bytes(self._store.serialize_cdr(self._store.types[kind](**fields), kind))

    def _header(self, stamp: int, frame: str) -> Any:
        return self._store.types["std_msgs/msg/Header"](stamp=self._time(stamp), frame_id=frame)

    def _time(self, stamp: int) -> Any:
        seconds, nanoseconds = divmod(stamp, 1_000_000_000)
        return self._store.types["builtin_interfaces/msg/Time"](sec=seconds, nanosec=nanoseconds)

    def _vector(self, kind: str, xyz: FloatArray) -> Any:
        x, y, z = xyz.tolist()
        return self._store.types[f"geometry_msgs/msg/{kind}"](x=x, y=y, z=z)

    def _quaternion(self, xyzw: FloatArray) -> Any:
        x, y, z, w = xyzw.tolist()
        return self._store.types["geometry_msgs/msg/Quaternion"](x=x, y=y, z=z, w=w)

    def _body(self, name: str, place: FloatArray, turn: FloatArray, confidence: float) -> Any:
        pose = self._store.types["geometry_msgs/msg/Pose"](
            position=self._vector("Point", place), orientation=self._quaternion(turn)
        )
        return self._store.types["kata_msgs/msg/BodyPose"](name=name, pose=pose, confidence=confidence)


def _filled(template: tuple[bytes, Mapping[str, slice]], stamp: int, numbers: Sequence[FloatArray]) -> bytes:
    """Return a template with a stamp [ns] and its sequences of numbers put in."""
    data = bytearray(template[0])
    _STAMP.pack_into(data, _STAMP_AT, *divmod(stamp, 1_000_000_000))
    for place, values in zip(template[1].values(), numbers, strict=True):
        data[place] = values.tobytes()
    return bytes(data)
