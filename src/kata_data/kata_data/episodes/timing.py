# SPDX-License-Identifier: Apache-2.0
"""When the messages of a bag were measured and came."""

import json
from collections.abc import Mapping, Sequence

from kata_data.bags.bag_info import BagInfo
from kata_data.bags.reader import Bag, Stream
from kata_data.grading import StreamTimes
from kata_data.recording import StreamSpec

__all__ = ["stream_times"]


def stream_times(bag: Bag, specs: Sequence[StreamSpec]) -> tuple[StreamTimes, ...]:
    """Return the times of all streams that were read of a bag, in the order of their topics.

    Args:
        bag: The bag.
        specs: Streams of the robot, for their expected rates.

    Raises:
        DataError: A message is damaged.
    """
    lost = _lost(bag.info)
    return tuple(_times(stream, specs, lost) for stream in sorted(bag.streams.values(), key=lambda stream: stream.topic))


def _lost(info: BagInfo) -> Mapping[str, int]:
    """Return what the recorder lost by topic; empty if it did not count."""
    try:
        counts = json.loads(info.custom.get("streams", "{}"))
        return {topic.strip("/"): int(count["lost"]) + int(count["refused"]) for topic, count in counts.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _times(stream: Stream, specs: Sequence[StreamSpec], lost: Mapping[str, int]) -> StreamTimes:
    name = stream.topic.strip("/")
    rate = next((s.rate for s in specs if name == s.topic or name.endswith(f"/{s.topic}")), 0.0)
    return StreamTimes(name, stream.stamp, stream.received, rate, lost.get(name), stream.kind.startswith("sensor_msgs/"))
