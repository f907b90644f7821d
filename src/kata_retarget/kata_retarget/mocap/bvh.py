# SPDX-License-Identifier: Apache-2.0
"""Read BVH (Biovision hierarchy) files."""

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.errors import ClipError
from kata_retarget.mocap.rotations import IDENTITY, about_axis, multiply
from kata_retarget.mocap.skeleton import Motion, Skeleton, forward_kinematics

__all__ = ["read_bvh"]

_CHANNELS = {f"{axis}{kind}": (kind, i) for i, axis in enumerate("xyz") for kind in ("position", "rotation")}
_EXPORT = "export the clip again as BVH"


@dataclass(slots=True)
class _Hierarchy:
    """What the first section of a file says; grows while its lines are read."""

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[tuple[int, str, int]] = field(default_factory=list)  # joint, kind, axis
    stack: list[int] = field(default_factory=lambda: [-1])  # joints whose braces are open

    def read(self, words: list[str]) -> None:
        """Take in one line; raises ValueError, IndexError or KeyError if it makes no sense."""
        match words:
            case [] | ["HIERARCHY"]:
                return
            case ["ROOT" | "JOINT" as kind, *name] if name and (kind == "JOINT") == bool(self.names):
                self._add(" ".join(name))
            case ["End", *_]:
                self._add(f"{self.names[self.stack[-1]]}/end")
            case ["{"]:
                self.stack.append(len(self.names) - 1)
            case ["}"]:
                self.stack.pop()
            case ["OFFSET", x, y, z]:
                self.offsets[-1] = [float(x), float(y), float(z)]
            case ["CHANNELS", count, *kinds] if int(count) == len(kinds):
                self.channels += [(len(self.names) - 1, *_CHANNELS[kind.lower()]) for kind in kinds]
            case _:
                raise ValueError

    def _add(self, name: str) -> None:
        if self.names and self.stack[-1] < 0:
            raise ValueError  # a second root
        self.names.append(name)
        self.parents.append(self.stack[-1])
        self.offsets.append([0.0, 0.0, 0.0])


def read_bvh(path: Path) -> Motion:
    """Read a file and compute where its joints are, in the file's own unit and axes.

    Raises:
        ClipError: The file is missing, is no BVH, is truncated, or holds values that are not finite.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ClipError(
            f"cannot read: {error.strerror or error}",
            where=str(path),
            fix="check the path",
        ) from error
    found = re.search(r"^[ \t]*MOTION[ \t\r]*$", text, re.MULTILINE)
    head, data = (text[: found.start()], text[found.end() :]) if found else (text, "")
    if not head.lstrip("\ufeff \t\r\n").startswith("HIERARCHY"):
        raise ClipError(
            "not a BVH file: it does not begin with HIERARCHY",
            where=f"{path}:1",
            fix="give a BVH clip",
        )
    if not found:
        raise ClipError("truncated: no MOTION section", where=f"{path}:{_lines(head)}", fix=_EXPORT)
    hierarchy = _hierarchy(head, path)
    values, fps = _values(data, len(hierarchy.channels), path, _lines(head))
    return _motion(hierarchy, values, fps)


def _lines(text: str) -> int:
    return text.count("\n") + 1


def _hierarchy(head: str, path: Path) -> _Hierarchy:
    found = _Hierarchy()
    for number, line in enumerate(head.lstrip("\ufeff").splitlines(), start=1):
        try:
            found.read(line.split())
        except (ValueError, IndexError, KeyError) as error:
            raise ClipError(f"bad line {line.strip()!r}", where=f"{path}:{number}", fix=_EXPORT) from error
    if len(found.stack) != 1 or not found.names or not np.isfinite(found.offsets).all():
        raise ClipError("the hierarchy's braces or offsets are incomplete", where=f"{path}:{_lines(head)}", fix=_EXPORT)
    return found


def _values(data: str, columns: int, path: Path, first_line: int) -> tuple[FloatArray, float]:
    """Return the motion's numbers, shape (N, columns), and the frame rate [Hz]."""
    where = f"{path}:{first_line + 1}"
    header = re.match(r"\s*Frames:[ \t]*(\d+)\s+Frame Time:[ \t]*(\d*\.?\d+(?:[eE][+-]?\d+)?)[ \t\r]*(?:\n|$)", data)
    if header is None:
        raise ClipError("expected `Frames:` and `Frame Time:` after MOTION", where=where, fix=_EXPORT)
    frames, period, body = int(header[1]), header[2], data[header.end() :]
    if frames < 1 or not 1e-5 < float(period) < 10.0:
        fix = "set Frames and Frame Time to the clip's true values"
        raise ClipError(f"{frames} frames of {period} s", where=where, fix=fix)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a word that is no number ends the reading: found below
        try:
            numbers = np.fromstring(body, sep=" ")
        except ValueError:
            numbers = np.empty(0)
    if numbers.size != frames * columns or not np.isfinite(numbers).all():
        raise _fault(body, frames, columns, path, first_line + _lines(data[: header.end()]) - 1)
    return numbers.reshape(frames, columns), _rate(period)


def _rate(period: str) -> float:
    """Return the rate [Hz] of a printed frame time [s]; 0.0083333 is meant to be 120, not 120.0005."""
    rate = 1.0 / float(period)
    digits = len(period.partition(".")[2])
    whole = round(rate)
    printed = whole > 0 and abs(1.0 / whole - float(period)) < 10.0**-digits
    return float(whole) if digits > 3 and printed and abs(rate - whole) < 2e-3 * whole else rate


def _fault(body: str, frames: int, columns: int, path: Path, line: int) -> ClipError:
    """Find out, line by line, why the numbers are not what the header promises."""
    rows = 0
    for number, row in enumerate(body.split("\n"), start=line):
        words = row.split()
        if not words:
            continue
        where = f"{path}:{number}"
        if rows == frames:
            return ClipError(
                f"more rows than the {frames} frames of the header",
                where=where,
                fix="correct `Frames:`",
            )
        if len(words) != columns:
            fix = "the file is cut off; " + _EXPORT if body.rstrip().endswith(row.strip()) else _EXPORT
            return ClipError(
                f"{len(words)} values, the hierarchy has {columns} channels",
                where=where,
                fix=fix,
            )
        for word in words:
            try:
                finite = bool(np.isfinite(float(word)))
            except ValueError:
                finite = False
            if not finite:
                return ClipError(
                    f"{word!r} is not a finite number",
                    where=where,
                    fix="fill the gap in the mocap software, " + _EXPORT,
                )
        rows += 1
    return ClipError(
        f"truncated: {rows} frames, the header promises {frames}",
        where=str(path),
        fix=_EXPORT,
    )


def _motion(hierarchy: _Hierarchy, values: FloatArray, fps: float) -> Motion:
    offset = np.array(hierarchy.offsets, dtype=float)
    local = np.broadcast_to(IDENTITY, (len(values), len(offset), 4)).copy()
    root = np.broadcast_to(offset[0], (len(values), 3)).copy()
    for column, (joint, kind, axis) in enumerate(hierarchy.channels):
        given = values[:, column]
        if kind == "rotation" and np.any(given):
            local[:, joint] = multiply(local[:, joint], about_axis(axis, np.radians(given)))
        elif kind == "position" and joint == 0:
            root[:, axis] = given
        elif kind == "position" and np.any(given):
            # other joints' positions replace their offsets; bones are rigid, so one length serves for the clip
            offset[joint, axis] = np.median(given)
    skeleton = Skeleton(tuple(hierarchy.names), tuple(hierarchy.parents), offset)
    return forward_kinematics(skeleton, root, local, fps)
