# SPDX-License-Identifier: Apache-2.0
"""A Linux input device, read without any library: ``/dev/input/event*``."""

import fcntl
import os
import struct
from pathlib import Path

from kata_model.errors import ConfigError
from kata_teleop.engage.evdev import AxisRange, is_gamepad, is_keyboard

__all__ = ["InputDevice", "find_device"]

_AXES = (0, 1, 2, 3, 4, 5)
_KEYS_BYTES = 96  # of the bit field of all keys, KEY_MAX 0x2ff
_RANGE = struct.Struct("@6i")  # struct input_absinfo


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
