# SPDX-License-Identifier: Apache-2.0
"""Streams of an episode: how often they came, what was lost, and how they lie to one another in time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kata_data.grading.config import GradingConfig
from kata_data.grading.finding import Finding, judge
from kata_data.recording import DropCounter

__all__ = ["StreamFigures", "StreamTimes", "judge_streams", "measure_stream", "skew"]


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """When the messages of a stream were measured and came.

    Attributes:
        topic: Relative name.
        stamp: Source stamps in the order of receipt, shape (N,), [ns].
        received: Receive stamps, shape (N,), [ns].
        expected: Expected rate [Hz]; 0 where messages are events.
        lost: Messages that never came by the recorder's count; None if nobody counted.
        sensor: Whether its stamps are a sensor's: steady, and to be compared with other sensors'.
    """

    topic: str
    stamp: NDArray[np.int64]
    received: NDArray[np.int64]
    expected: float = 0.0
    lost: int | None = None
    sensor: bool = False

    def __post_init__(self) -> None:
        """Check and freeze the stamps."""
        for name in ("stamp", "received"):
            object.__setattr__(self, name, _stamps(getattr(self, name)))
        if len(self.stamp) != len(self.received):
            raise ValueError(f"{self.topic}: {len(self.stamp)} source stamps and {len(self.received)} receive stamps")


def _stamps(values: ArrayLike) -> NDArray[np.int64]:
    stamps = np.array(values, dtype=np.int64).reshape(-1)
    stamps.setflags(write=False)
    return stamps


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """Figures of one stream.

    Attributes:
        topic: Relative name.
        count: Messages.
        expected: Expected rate [Hz]; 0 where messages are events.
        rate: Over its own span [Hz]; NaN below two messages.
        lost: Messages that never came; None if that cannot be known.
        gap: Longest silence beyond the median period [s], by source stamps of sensors, else by receipt.
        delay: Median time from source stamp to receipt [s]; negative if the clocks disagree.
        sensor: As in `StreamTimes`.
    """

    topic: str
    count: int
    expected: float
    rate: float
    lost: int | None
    gap: float
    delay: float
    sensor: bool

    @property
    def shortfall(self) -> float:
        """Return the share of the expected rate that is missing; 0 where nothing is expected."""
        if self.expected <= 0.0:
            return 0.0
        return 1.0 if np.isnan(self.rate) else max(0.0, 1.0 - self.rate / self.expected)

    @property
    def lost_share(self) -> float:
        """Return the share of its messages that never came."""
        return (self.lost or 0) / max(1, self.count + (self.lost or 0))


def measure_stream(times: StreamTimes) -> StreamFigures:
    """Return the figures of a stream; losses that nobody counted are told by gaps of a sensor's period."""
    count, span = len(times.received), _span(times.received)
    instants = _rising(times.stamp if times.sensor else times.received)
    steps = np.diff(instants) * 1e-9
    return StreamFigures(
        topic=times.topic,
        count=count,
        expected=times.expected,
        rate=(count - 1) / span if span > 0.0 else float("nan"),
        lost=_gaps(instants, times.expected) if times.lost is None and times.sensor else times.lost,
        gap=float(steps.max() - np.median(steps)) if len(steps) else 0.0,
        delay=float(np.median(times.received - times.stamp)) * 1e-9 if count else 0.0,
        sensor=times.sensor,
    )


def _span(stamps: NDArray[np.int64]) -> float:
    return float(stamps[-1] - stamps[0]) * 1e-9 if len(stamps) else 0.0


def _rising(stamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the stamps that are later than all before."""
    return np.unique(np.maximum.accumulate(stamps)) if len(stamps) else stamps


def _gaps(stamps: NDArray[np.int64], expected: float) -> int:
    counter = DropCounter(expected)
    for stamp in stamps.tolist():
        counter.note(0, stamp)
    return counter.lost


def skew(streams: Sequence[StreamTimes]) -> tuple[float, str]:
    """Return by how much a sensor begins later or ends earlier than the others, beyond its own period [s], and its topic.

    Source stamps are compared, so that a slow transport is no skew.
    """
    spans = {s.topic: _rising(s.stamp) for s in streams if s.sensor and len(s.stamp) > 1}
    if len(spans) < 2:
        return 0.0, ""
    first, last = min(int(s[0]) for s in spans.values()), max(int(s[-1]) for s in spans.values())
    beyond = {
        topic: max(int(s[0]) - first, last - int(s[-1])) * 1e-9 - float(np.median(np.diff(s))) * 1e-9
        for topic, s in spans.items()
        if len(s) > 1
    }
    worst = max(beyond, key=lambda topic: beyond[topic], default="")
    return (max(0.0, beyond[worst]), worst) if worst else (0.0, "")


def judge_streams(streams: Sequence[StreamTimes], config: GradingConfig) -> tuple[tuple[StreamFigures, ...], list[Finding]]:
    """Return the figures of all streams, and the judgement of the worst."""
    figures = tuple(measure_stream(times) for times in streams)
    slow = max(figures, key=lambda f: f.shortfall)
    lossy = max(figures, key=lambda f: f.lost_share)
    steady = [f for f in figures if f.sensor or f.expected > 0.0] or list(figures)
    silent = max(steady, key=lambda f: f.gap)
    late = max((f for f in figures), key=lambda f: abs(f.delay))
    apart, topic = skew(streams)
    rate = f"{slow.topic} at {slow.rate:.0f} of {slow.expected:g} Hz" if slow.shortfall > 0.0 else "all at their rates"
    lost = f"{lossy.lost} lost on {lossy.topic} ({lossy.lost_share:.2%})" if lossy.lost else "nothing lost"
    return figures, [
        judge("rate", slow.shortfall, config.rate_warn, config.rate_fail, rate),
        judge("lost", lossy.lost_share, config.lost_warn, config.lost_fail, lost),
        judge("gap", silent.gap, config.gap_warn, config.gap_fail, f"{silent.topic} silent for {1e3 * silent.gap:.0f} ms"),
        judge("skew", apart, config.skew_warn, config.skew_fail, f"{1e3 * apart:.0f} ms{f' ({topic})' if apart > 0.0 else ''}"),
        judge("delay", abs(late.delay), config.delay_warn, config.delay_fail, _delay(late)),
    ]


def _delay(late: StreamFigures) -> str:
    if late.delay < 0.0:
        return f"{late.topic} stamped {-1e3 * late.delay:.0f} ms after receipt: clocks disagree"
    return f"{late.topic} received {1e3 * late.delay:.0f} ms after its stamp"
