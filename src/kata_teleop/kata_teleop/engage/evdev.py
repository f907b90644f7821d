# SPDX-License-Identifier: Apache-2.0
"""Linux input events as a gamepad in the Gamepad API's standard layout; the bytes are given, no device is touched.

Numbers are those of the kernel's ``include/uapi/linux/input-event-codes.h``.
"""

import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["AXES", "BUTTONS", "AxisRange", "InputEvents", "is_gamepad", "is_keyboard"]

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
