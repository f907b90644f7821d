# SPDX-License-Identifier: Apache-2.0
"""A Linux input device, ``/dev/input/event*``, as a gamepad in the Gamepad API's standard layout.

`InputDevice` reads bytes, `InputEvents` gives them meaning. No library: evdev's wheels are for x86_64 alone, and robots'
computers are not; an installed ROS 2 has its own `joy`. Numbers are those of the kernel's
``include/uapi/linux/input-event-codes.h``.
"""

import fcntl
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from kata_model.errors import ConfigError

__all__ = ["AXES", "BUTTONS", "AxisRange", "InputDevice", "InputEvents", "find_device", "is_gamepad", "is_keyboard"]

_AXES = (0, 1, 2, 3, 4, 5)
_KEYS_BYTES = 96  # of the bit field of all keys, KEY_MAX 0x2ff
_RANGE = struct.Struct("@6i")  # struct input_absinfo
AXES, BUTTONS = 4, 17
_EVENT = struct.Struct("@llHHi")  # struct input_event on 64-bit machines: time, type, code, value
_SYN, _KEY, _ABS = 0, 1, 3
_DROPPED = 3  # SYN_DROPPED: the kernel's buffer was full

# Gamepad keys, by the standard layout's button (BTN_SOUTH is A, button 0).
_PAD_KEYS: Mapping[int, int] = MappingProxyType(
    {304: 0, 305: 1, 307: 3, 308: 2, 310: 4, 311: 5, 312: 6, 313: 7, 314: 8, 315: 9, 317: 10, 318: 11, 316: 16}
    | {544: 12, 545: 13, 546: 14, 547: 15}
)
_PAD_AXES: Mapping[int, int] = MappingProxyType({0: 0, 1: 1, 3: 2, 4: 3})  # ABS_X, Y, RX, RY
_TRIGGERS: Mapping[int, int] = MappingProxyType({2: 6, 5: 7})  # ABS_Z, ABS_RZ
_HATS: Mapping[int, tuple[int, int]] = MappingProxyType({16: (14, 15), 17: (12, 13)})  # ABS_HAT0X, Y: negative, positive

# Keyboard: W A S D is the left stick, arrows the right one, the left hand's modifiers enable.
_KEYS: Mapping[int, int] = MappingProxyType({57: 5, 42: 4, 29: 7, 1: 1, 15: 8, 28: 9, 18: 12, 16: 13})
# space R1, left shift L1, left ctrl R2, escape B, tab select, enter start, E and Q next and previous joint
_KEY_AXES: Mapping[int, tuple[int, float]] = MappingProxyType(
    {30: (0, -1.0), 32: (0, 1.0), 17: (1, -1.0), 31: (1, 1.0), 105: (2, -1.0), 106: (2, 1.0), 103: (3, -1.0), 108: (3, 1.0)}
)


class AxisRange(NamedTuple):
    """What an axis tells: least and greatest value."""

    low: int
    high: int


class InputEvents:
    """The state of one device, changed by its events; what was cut in two waits for its rest."""

    def __init__(self, ranges: Mapping[int, AxisRange]) -> None:
        """Take the ranges of the device's axes, by code; none for a keyboard."""
        self._ranges = dict(ranges)
        self._rest = b""
        self._down: set[int] = set()
        self._hats: dict[int, int] = {}
        self._values: dict[int, float] = {}

    def feed(self, data: bytes) -> None:
        """Take bytes as they were read from the device; unknown events are passed over."""
        data = self._rest + data
        whole = len(data) - len(data) % _EVENT.size
        self._rest = data[whole:]
        for _, _, kind, code, value in _EVENT.iter_unpack(data[:whole]):
            if kind == _KEY and value in (0, 1):
                (self._down.add if value else self._down.discard)(code)
            elif kind == _ABS:
                self._move(code, value)
            elif kind == _SYN and code == _DROPPED:
                self.release()

    def release(self) -> None:
        """Let go of everything, as when events were lost or the device is gone: nothing may stay pressed by mistake."""
        self._down.clear()
        self._hats.clear()
        self._values.clear()

    def _move(self, code: int, value: int) -> None:
        if code in _HATS:
            self._hats[code] = max(-1, min(1, value))
            return
        low, high = self._ranges.get(code, AxisRange(0, 0))
        if high > low:
            self._values[code] = max(0.0, min(1.0, (value - low) / (high - low)))

    @property
    def axes(self) -> tuple[float, ...]:
        """Sticks, −1 to 1, in the standard layout."""
        values = [0.0] * AXES
        for code, axis in _PAD_AXES.items():
            values[axis] = 2.0 * self._values[code] - 1.0 if code in self._values else 0.0
        for code, (axis, way) in _KEY_AXES.items():
            values[axis] += way * (code in self._down)
        return tuple(max(-1.0, min(1.0, value)) for value in values)

    @property
    def buttons(self) -> tuple[float, ...]:
        """Buttons, 0 to 1, in the standard layout."""
        values = [0.0] * BUTTONS
        for code, button in (*_PAD_KEYS.items(), *_KEYS.items()):
            values[button] = max(values[button], float(code in self._down))
        for code, button in _TRIGGERS.items():
            values[button] = max(values[button], self._values.get(code, 0.0))
        for code, (negative, positive) in _HATS.items():
            values[negative] = max(values[negative], float(self._hats.get(code, 0) < 0))
            values[positive] = max(values[positive], float(self._hats.get(code, 0) > 0))
        return tuple(values)


def is_gamepad(keys: frozenset[int]) -> bool:
    """Return whether a device with these keys is a gamepad (it has a south button)."""
    return 304 in keys


def is_keyboard(keys: frozenset[int]) -> bool:
    """Return whether a device with these keys is a keyboard that has what is needed of it."""
    return set(_KEYS) | set(_KEY_AXES) <= keys


def _read_request(number: int, size: int) -> int:
    """Return the ioctl request that reads: _IOR('E', number, size)."""
    return (2 << 30) | (size << 16) | (ord("E") << 8) | number


class InputDevice:
    """An open device; its reads never block."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            ConfigError: It is not there, or may not be read.
        """
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            fix = "add yourself to the group input: sudo usermod -aG input $USER" if error.errno == 13 else "ls /dev/input"
            raise ConfigError(f"cannot be opened: {error.strerror}", where=str(path), fix=fix) from error
        self.path = path

    def close(self) -> None:
        """Close it."""
        os.close(self._file)

    def read(self) -> bytes | None:
        """Return what came since; empty if nothing did, None if the device is gone."""
        try:
            return os.read(self._file, 24 * 64) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None

    def keys(self) -> frozenset[int]:
        """Return the keys that it has; none where it is no input device."""
        field = bytearray(_KEYS_BYTES)
        try:
            fcntl.ioctl(self._file, _read_request(0x20 + 1, _KEYS_BYTES), field)
        except OSError:
            return frozenset()
        return frozenset(8 * i + bit for i, byte in enumerate(field) for bit in range(8) if byte >> bit & 1)

    def ranges(self) -> dict[int, AxisRange]:
        """Return the ranges of its axes, by code."""
        found = {}
        for axis in _AXES:
            values = bytearray(_RANGE.size)
            try:
                fcntl.ioctl(self._file, _read_request(0x40 + axis, _RANGE.size), values)
            except OSError:
                continue
            _, low, high, *_ = _RANGE.unpack(values)
            if high > low:
                found[axis] = AxisRange(low, high)
        return found


def find_device(kind: str, folder: Path = Path("/dev/input")) -> InputDevice:
    """Open the first ``gamepad`` or ``keyboard`` of a folder of devices.

    Raises:
        ConfigError: There is none that may be read.
    """
    fits = is_gamepad if kind == "gamepad" else is_keyboard
    refused = ""
    for path in sorted(folder.glob("event*"), key=lambda p: (len(p.name), p.name)):
        try:
            device = InputDevice(path)
        except ConfigError as error:
            refused = str(error)
            continue
        if fits(device.keys()):
            return device
        device.close()
    raise ConfigError(
        f"no {kind} found in {folder}", where="gamepad_device", fix=refused or "plug one in, or use the console's page"
    )
