# SPDX-License-Identifier: Apache-2.0
"""Recording that loses and invents nothing: what is recorded, what was lost, whose clock, how much room."""

from kata_data.bags.metadata import PARTIAL, TopicSummary, is_sound, metadata_text, sealed
from kata_data.recording.clock import ClockOffset, Exchange
from kata_data.recording.disk import DiskForecast, DiskLimits
from kata_data.recording.drops import DropCounter
from kata_data.recording.pretrigger import PretriggerBuffer
from kata_data.recording.segmentation import Segment, SegmentationConfig, intervention_steps, propose_segments
from kata_data.recording.simulated import SimulatedTime
from kata_data.recording.streams import Store, StreamSpec, load_streams, parse_pairs, parse_streams

__all__ = [
    "PARTIAL",
    "ClockOffset",
    "DiskForecast",
    "DiskLimits",
    "DropCounter",
    "Exchange",
    "PretriggerBuffer",
    "Segment",
    "SegmentationConfig",
    "SimulatedTime",
    "Store",
    "StreamSpec",
    "TopicSummary",
    "intervention_steps",
    "is_sound",
    "load_streams",
    "metadata_text",
    "parse_pairs",
    "parse_streams",
    "propose_segments",
    "sealed",
]
