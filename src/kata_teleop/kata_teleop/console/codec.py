# SPDX-License-Identifier: Apache-2.0
"""The binary frames of docs/operator_protocol.md: little endian, fixed layouts, decoded without trust."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import NamedTuple

import numpy as np

from kata_model.arrays import FloatArray, frozen

__all__ = [
    "MAX_MESSAGE",
    "ControllerFrame",
    "Decoded",
    "Flag",
    "GamepadFrame",
    "HeadsetFrame",
    "Kind",
    "RobotFrame",
    "decode",
    "encode_camera",
    "encode_gamepad",
    "encode_headset",
    "encode_robot",
]

MAX_MESSAGE = 4096
"""Longest message that a client may send [bytes]."""

VERSION = 1
JOINTS = 25  # of a WebXR hand
_HEAD = struct.Struct("<BBHId")
_PAD = struct.Struct("<BBBBIdI")
_ROBOT = struct.Struct("<BBBBIdHH")
_CAMERA = struct.Struct("<BBBBId")
_CONTROLLER = struct.Struct("<7fI4f")
_SKELETON = 4 * 7 * JOINTS
_FIXED = 140
_MAX_AXES, _MAX_BUTTONS = 16, 32


class Kind(IntEnum):
    """First byte of a frame."""

    HEADSET = 1
    GAMEPAD = 2
    ROBOT = 129
    CAMERA = 130


class Flag(IntFlag):
    """Bits of a headset's frame."""

    HEAD = 1
    LEFT_CONTROLLER = 2
    RIGHT_CONTROLLER = 4
    LEFT_HAND = 8
    RIGHT_HAND = 16
    VISIBLE = 32
    SESSION = 64
    LEFT_EMULATED = 128
    RIGHT_EMULATED = 256


@dataclass(frozen=True, slots=True)
class ControllerFrame:
    """A controller: pose in WebXR's space, shape (7,); pressed buttons by bit; trigger, squeeze, stick x, y, shape (4,)."""

    pose: FloatArray
    buttons: int
    axes: FloatArray

    def __post_init__(self) -> None:
        """Copy and freeze the arrays."""
        object.__setattr__(self, "pose", frozen("pose", self.pose, (7,)))
        object.__setattr__(self, "axes", frozen("axes", self.axes, (4,)))


@dataclass(frozen=True, slots=True)
class HeadsetFrame:
    """One frame of a headset, all poses in WebXR's ``local-floor`` space (y up, −z forward), numbers unjudged.

    Attributes:
        sequence: Rises by one.
        time: Of the poses, by the page's clock [ns].
        flags: What is tracked and whether the page is seen.
        head: Pose of the viewer, shape (7,).
        left: Left controller.
        right: Right controller.
        left_hand: 25 joints, shape (25, 7), or None.
        right_hand: The same of the right hand.
    """

    sequence: int
    time: int
    flags: Flag
    head: FloatArray
    left: ControllerFrame
    right: ControllerFrame
    left_hand: FloatArray | None = None
    right_hand: FloatArray | None = None

    def __post_init__(self) -> None:
        """Copy and freeze the arrays."""
        object.__setattr__(self, "head", frozen("head", self.head, (7,)))
        for name in ("left_hand", "right_hand"):
            if (joints := getattr(self, name)) is not None:
                object.__setattr__(self, name, frozen(name, joints, (JOINTS, 7)))


@dataclass(frozen=True, slots=True)
class GamepadFrame:
    """One state of a gamepad: number, time by the page's clock [ns], device, axes (−1 to 1), buttons (0 to 1)."""

    sequence: int
    time: int
    device: int
    axes: tuple[float, ...]
    buttons: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RobotFrame:
    """What a page draws of the robot: verdict's status, engage phase, stamp [ns], flags, base pose, joints.

    Attributes:
        sequence: Rises by one.
        stamp: When the joints were measured [ns].
        status: Of the verdict.
        phase: Of the engage contract.
        flags: 1 target valid, 2 e-stop pressed, 4 recording, 8 policy engaged.
        base: Base in the world, shape (7,).
        measured: Shape (n,), [rad].
        target: Shape (n,), [rad]; NaN without one.
        joint_flags: Bits of the verdict, n of them.
    """

    sequence: int
    stamp: int
    status: int
    phase: int
    flags: int
    base: FloatArray
    measured: FloatArray
    target: FloatArray
    joint_flags: bytes


class Decoded(NamedTuple):
    """A frame, or why there is none."""

    frame: HeadsetFrame | GamepadFrame | None
    fault: str = ""


def decode(data: bytes) -> Decoded:
    """Return a client's frame; whatever the bytes are, nothing is raised. Poses may hold NaN, times may not."""
    if len(data) < 2:
        return Decoded(None, "shorter than its kind and version")
    kind, version = data[0], data[1]
    if version != VERSION:
        return Decoded(None, f"version {version}, this server reads {VERSION}")
    if kind == Kind.HEADSET:
        with np.errstate(invalid="ignore"):  # a NaN that signals is a NaN
            return _headset(data)
    return _gamepad(data) if kind == Kind.GAMEPAD else Decoded(None, f"kind {kind} is unknown")


def _headset(data: bytes) -> Decoded:
    if len(data) < _FIXED:
        return Decoded(None, f"{len(data)} bytes, a headset's frame has {_FIXED} at least")
    _, _, bits, sequence, time = _HEAD.unpack_from(data)
    flags = Flag(bits & 0x1FF)
    expected = _FIXED + _SKELETON * ((Flag.LEFT_HAND in flags) + (Flag.RIGHT_HAND in flags))
    if bits != flags or len(data) != expected:
        return Decoded(None, f"{len(data)} bytes with flags {bits:#x}, {expected} expected")
    if (stamp := _nanoseconds(time)) is None:
        return Decoded(None, "its time is no time")
    head = np.frombuffer(data, "<f4", 7, 16).astype(float)
    hands: dict[str, FloatArray | None] = {"left_hand": None, "right_hand": None}
    at = _FIXED
    for name, flag in (("left_hand", Flag.LEFT_HAND), ("right_hand", Flag.RIGHT_HAND)):
        if flag in flags:
            hands[name] = np.frombuffer(data, "<f4", 7 * JOINTS, at).astype(float).reshape(JOINTS, 7)
            at += _SKELETON
    frame = HeadsetFrame(sequence, stamp, flags, head, _controller(data, 44), _controller(data, 92), **hands)
    return Decoded(frame)


def _controller(data: bytes, at: int) -> ControllerFrame:
    values = _CONTROLLER.unpack_from(data, at)
    return ControllerFrame(np.array(values[:7]), int(values[7]), np.array(values[8:]))


def _gamepad(data: bytes) -> Decoded:
    if len(data) < _PAD.size:
        return Decoded(None, f"{len(data)} bytes, a gamepad's frame has {_PAD.size} at least")
    _, _, axes, buttons, sequence, time, device = _PAD.unpack_from(data)
    if axes > _MAX_AXES or buttons > _MAX_BUTTONS or len(data) != _PAD.size + 4 * (axes + buttons):
        return Decoded(None, f"{len(data)} bytes with {axes} axes and {buttons} buttons")
    values = struct.unpack_from(f"<{axes + buttons}f", data, _PAD.size)
    stamp = _nanoseconds(time)
    if stamp is None or not all(-1.01 <= v <= 1.01 for v in values):
        return Decoded(None, "a time or value that is none")
    return Decoded(GamepadFrame(sequence, stamp, device, tuple(values[:axes]), tuple(values[axes:])))


def _nanoseconds(time: float) -> int | None:
    """Return a page's time [ms] as ns; None if it is not finite, negative, or beyond 30 years."""
    return round(time * 1e6) if math.isfinite(time) and 0.0 <= time < 1e12 else None


def encode_headset(frame: HeadsetFrame) -> bytes:
    """Return a frame as a headset sends it; for programs that stand in for one."""
    parts = [_HEAD.pack(Kind.HEADSET, VERSION, frame.flags, frame.sequence, frame.time * 1e-6)]
    parts.append(struct.pack("<7f", *frame.head))
    parts += [_CONTROLLER.pack(*side.pose, side.buttons, *side.axes) for side in (frame.left, frame.right)]
    parts += [np.asarray(hand, "<f4").tobytes() for hand in (frame.left_hand, frame.right_hand) if hand is not None]
    return b"".join(parts)


def encode_gamepad(frame: GamepadFrame) -> bytes:
    """Return a gamepad's state as a page sends it."""
    counts = (len(frame.axes), len(frame.buttons))
    head = _PAD.pack(Kind.GAMEPAD, VERSION, *counts, frame.sequence, frame.time * 1e-6, frame.device)
    return head + struct.pack(f"<{sum(counts)}f", *frame.axes, *frame.buttons)


def encode_robot(frame: RobotFrame) -> bytes:
    """Return the robot's state for a page."""
    count = len(frame.measured)
    head = _ROBOT.pack(
        Kind.ROBOT, VERSION, frame.status, frame.phase, frame.sequence & 0xFFFFFFFF, frame.stamp * 1e-6, count, frame.flags
    )
    numbers: Sequence[FloatArray] = (frame.base, frame.measured, frame.target)
    return head + np.concatenate(numbers).astype("<f4").tobytes() + frame.joint_flags


def encode_camera(sequence: int, stamp: int, jpeg: bytes, camera: int = 0) -> bytes:
    """Return a picture of a time [ns] for a page."""
    return _CAMERA.pack(Kind.CAMERA, VERSION, camera, 0, sequence & 0xFFFFFFFF, stamp * 1e-6) + jpeg
