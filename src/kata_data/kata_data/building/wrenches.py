# SPDX-License-Identifier: Apache-2.0
"""The force and torque sensors of a bag: which topics they are, and what they felt as arrays."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kata_data.bags.reader import Bag
from kata_data.building.align import match_past
from kata_model.arrays import FloatArray
from kata_model.errors import DataError

__all__ = ["PREFIX", "feel", "sensor_name", "sensors_in"]

PREFIX = "wrench/"
"""Of the stream names of sensors within a `Bag`, and of their terms in an observation."""

_KIND = "geometry_msgs/msg/WrenchStamped"


def sensor_name(topic: str, kind: str) -> str | None:
    """Return the sensor's name, or None for a topic that is no sensor's: ``left_wrist/wrench`` is ``left_wrist``."""
    parts = [part for part in topic.split("/") if part]
    return parts[-2] if kind == _KIND and len(parts) > 1 and parts[-1] == "wrench" else None


def sensors_in(terms: Sequence[str]) -> tuple[str, ...]:
    """Return the sensors that terms of an observation name."""
    return tuple(term.removeprefix(PREFIX) for term in terms if term.startswith(PREFIX))


def feel(
    bag: Bag, sensors: Sequence[str], at: NDArray[np.int64], tolerance: int
) -> tuple[dict[str, FloatArray], dict[str, NDArray[np.bool_]]]:
    """Return by sensor what it last felt at some instants, and by stream at which of them there is nothing.

    Args:
        bag: The bag.
        sensors: Names.
        at: Instants, shape (G,), [ns].
        tolerance: Greatest age [ns].

    Returns:
        Force and torque in the sensor's frame, shape (G, 6), [N] and [N·m]; missing samples, shape (G,).

    Raises:
        DataError: The bag lacks a sensor, or a message is damaged.
    """
    felt, missing = {}, {}
    for sensor in sensors:
        if PREFIX + sensor not in bag.streams:
            raise _no_sensor(sensor, bag.info.types, str(bag.info.path))
        stream = bag.streams[PREFIX + sensor]
        match = match_past(stream.stamp, at, tolerance)
        parts = [(m.wrench.force, m.wrench.torque) for m in stream.messages]
        felt[sensor] = np.array([(f.x, f.y, f.z, t.x, t.y, t.z) for f, t in parts])[match]
        missing[PREFIX + sensor] = match < 0
    return felt, missing


def _no_sensor(sensor: str, types: Mapping[str, str], where: str) -> DataError:
    has = sorted(name for topic, kind in types.items() if (name := sensor_name(topic, kind)))
    return DataError(f"has no wrench of a sensor {sensor!r}", where=where, fix=f"it has: {', '.join(has) or 'none'}")
