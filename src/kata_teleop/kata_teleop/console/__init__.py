# SPDX-License-Identifier: Apache-2.0
"""What a console and a headset say and may do (docs/operator_protocol.md), without sockets and clocks."""

from kata_teleop.console.codec import (
    MAX_MESSAGE,
    ControllerFrame,
    Decoded,
    Flag,
    GamepadFrame,
    HeadsetFrame,
    Kind,
    RobotFrame,
    decode,
    encode_camera,
    encode_gamepad,
    encode_headset,
    encode_robot,
)
from kata_teleop.console.control_lease import ControlLease
from kata_teleop.console.limits import Allowance, Patience
from kata_teleop.console.pairing import Paired, Pairing
from kata_teleop.console.webxr import HeadsetReader, from_webxr
from kata_teleop.console.words import cause_in_words, reasons_in_words

__all__ = [
    "MAX_MESSAGE",
    "Allowance",
    "ControlLease",
    "ControllerFrame",
    "Decoded",
    "Flag",
    "GamepadFrame",
    "HeadsetFrame",
    "HeadsetReader",
    "Kind",
    "Paired",
    "Pairing",
    "Patience",
    "RobotFrame",
    "cause_in_words",
    "decode",
    "encode_camera",
    "encode_gamepad",
    "encode_headset",
    "encode_robot",
    "from_webxr",
    "reasons_in_words",
]
