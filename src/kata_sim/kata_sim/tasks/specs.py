# SPDX-License-Identifier: Apache-2.0
"""Where a robot's tasks take place: the part of ``sim.yaml`` that tasks read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kata_model.arrays import FloatArray, frozen

__all__ = ["GoalBox", "LiftSpec", "Pad", "PushSpec", "Table", "TaskSpecs", "parse_tasks"]


@dataclass(frozen=True, slots=True)
class GoalBox:
    """Where the goals of the reach task lie.

    Attributes:
        frame: Frame of the robot that is to reach them.
        low: Lowest corner in the base's frame, shape (3,), [m].
        high: Highest corner, shape (3,), [m].
    """

    frame: str
    low: FloatArray
    high: FloatArray

    def __post_init__(self) -> None:
        """Copy and freeze the corners."""
        _freeze_range(self, 3)


@dataclass(frozen=True, slots=True)
class Table:
    """A table top, in the base's frame.

    Attributes:
        low: Corner nearest to the robot and farthest to its right, shape (2,), [m].
        high: The opposite corner, shape (2,), [m].
    """

    low: FloatArray
    high: FloatArray

    def __post_init__(self) -> None:
        """Copy and freeze the corners."""
        _freeze_range(self, 2)


@dataclass(frozen=True, slots=True)
class Pad:
    """What a hand touches with: a box fixed to a frame of the robot.

    Attributes:
        frame: Frame that carries it.
        center: Its middle in that frame, shape (3,), [m].
        half: Half its edges, shape (3,), [m].
    """

    frame: str
    center: FloatArray
    half: FloatArray

    def __post_init__(self) -> None:
        """Copy and freeze the arrays."""
        for name in ("center", "half"):
            object.__setattr__(self, name, frozen(name, getattr(self, name), (3,)))


@dataclass(frozen=True, slots=True)
class LiftSpec:
    """The box to be lifted with both hands.

    Attributes:
        table: Height of the table in the base's frame [m].
        half: Half its edges, shape (3,), [m].
        mass: [kg].
        low: Least x and y of its middle in the base's frame, shape (2,), [m].
        high: Greatest, shape (2,), [m].
        yaw: Largest turn about the vertical [rad].
    """

    table: float
    half: FloatArray
    mass: float
    low: FloatArray
    high: FloatArray
    yaw: float

    def __post_init__(self) -> None:
        """Copy and freeze the arrays."""
        object.__setattr__(self, "half", frozen("half", self.half, (3,)))
        _freeze_range(self, 2)


@dataclass(frozen=True, slots=True)
class PushSpec:
    """The puck to be pushed with one hand, and where to.

    Attributes:
        table: Height of the table in the base's frame [m].
        radius: Of the puck [m].
        height: Of the puck [m].
        mass: [kg].
        low: Least x and y of the puck in the base's frame, shape (2,), [m].
        high: Greatest, shape (2,), [m].
        goal_low: The same of the goal.
        goal_high: The same of the goal.
        slope: Largest x-part of the way from puck to goal over its y-part.
    """

    table: float
    radius: float
    height: float
    mass: float
    low: FloatArray
    high: FloatArray
    goal_low: FloatArray
    goal_high: FloatArray
    slope: float

    def __post_init__(self) -> None:
        """Copy and freeze the corners."""
        _freeze_range(self, 2)
        _freeze_range(self, 2, "goal_")


@dataclass(frozen=True, slots=True)
class TaskSpecs:
    """All that tasks need of a robot; what is None, the robot cannot do.

    Attributes:
        pads: What its hands touch with.
        table: Where things stand.
        reach: Goals of the reach task.
        lift: The box.
        push: The puck.
    """

    pads: tuple[Pad, ...] = ()
    table: Table | None = None
    reach: GoalBox | None = None
    lift: LiftSpec | None = None
    push: PushSpec | None = None


def parse_tasks(data: Mapping[str, Any]) -> TaskSpecs:
    """Read the keys ``pads``, ``table``, ``reach``, ``lift``, ``push``; KeyError, TypeError or ValueError if they are wrong."""
    pads = tuple(Pad(str(frame), pad["center_m"], pad["half_m"]) for frame, pad in (data.get("pads") or {}).items())
    table, reach, lift, push = (data.get(name) for name in ("table", "reach", "lift", "push"))
    if (lift or push) and not (table and pads):
        raise ValueError("lift and push need a table and pads")
    return TaskSpecs(
        pads=pads,
        table=Table(table["low_m"], table["high_m"]) if table else None,
        reach=GoalBox(str(reach["frame"]), reach["low"], reach["high"]) if reach else None,
        lift=_lift(lift) if lift else None,
        push=_push(push) if push else None,
    )


def _lift(lift: Mapping[str, Any]) -> LiftSpec:
    box = float(lift["table_m"]), lift["half_m"], float(lift["mass_kg"])
    return LiftSpec(*box, lift["low_m"], lift["high_m"], float(lift["yaw_rad"]))


def _push(push: Mapping[str, Any]) -> PushSpec:
    numbers: dict[str, Any] = {key: float(push[f"{key}_m"]) for key in ("table", "radius", "height")}
    corners = {key: push[f"{key}_m"] for key in ("low", "high", "goal_low", "goal_high")}
    return PushSpec(**numbers, **corners, mass=float(push["mass_kg"]), slope=float(push["slope"]))


def _freeze_range(spec: Any, length: int, prefix: str = "") -> None:
    low, high = f"{prefix}low", f"{prefix}high"
    for name in (low, high):
        object.__setattr__(spec, name, frozen(name, getattr(spec, name), (length,)))
    if not (getattr(spec, low) <= getattr(spec, high)).all():
        raise ValueError(f"an empty range: {low} {getattr(spec, low)}, {high} {getattr(spec, high)}")
