# SPDX-License-Identifier: Apache-2.0
"""Parameters of the recorder."""

from dataclasses import dataclass

from kata_data.recording import DiskLimits, PretriggerBuffer, Store, StreamSpec, load_streams, parse_pairs
from kata_model.config.params import param
from kata_nodes.recorder.bag_thread import Sample

__all__ = ["RecorderConfig"]


@dataclass(frozen=True)
class RecorderConfig:
    """What is recorded, and where to."""

    directory: str = param("runs/bags", doc="Folder that receives one folder for each episode.")
    robot: str = param("", doc="Robot whose recording.yaml names the streams, and whose description is stored; empty: any.")
    topics: tuple[str, ...] = param((), doc="Streams instead of those of the file: TOPIC TYPE [RATE [STORE]] each.")
    images: str = param("file", choices=("file", "raw", "jpeg"), doc="How colour pictures are kept; file: by recording.yaml.")
    jpeg_quality: int = param(90, low=1, high=100, doc="Quality of pictures that the recorder encodes.")
    labels: tuple[str, ...] = param((), doc="Facts stored with each episode, as key=value, e.g. robot=g1.")
    pretrigger: float = param(0.0, unit="s", low=0.0, high=60.0, doc="How far before its start an episode begins.")
    pretrigger_memory: int = param(256, unit="MB", low=1, high=16384, doc="Most memory for what came before the start.")
    queue_memory: int = param(256, unit="MB", low=1, high=16384, doc="Most memory for what waits for the disk.")
    chunk: float = param(0.5, unit="s", low=0.05, high=10.0, doc="What is older than this outlives a killed recorder.")
    disk_free: float = param(1.0, unit="GB", low=0.0, high=1e6, doc="No episode begins with less room than this.")
    disk_time: float = param(60.0, unit="s", low=0.0, high=1e5, doc="No episode begins if the disk would be full sooner.")
    disk_reserve: float = param(0.1, unit="GB", low=0.0, high=1e4, doc="A running episode stops growing when so little is left.")
    grade: bool = param(True, doc="Grade each saved episode, and say so in episode/state.")

    def streams(self) -> tuple[StreamSpec, ...]:
        """Return what is recorded.

        Raises:
            ConfigError: The parameter or the file is wrong.
        """
        specs = parse_pairs(self.topics) if self.topics else load_streams(self.robot)
        return tuple(self._as_wanted(spec) for spec in specs)

    def _as_wanted(self, spec: StreamSpec) -> StreamSpec:
        """Let the parameter decide about pictures that are not depth; depth is never made lossy."""
        picture = spec.type == "sensor_msgs/msg/Image" and spec.store is not Store.PNG
        if self.images == "file" or not picture:
            return spec
        return StreamSpec(spec.topic, spec.type, spec.rate, Store(self.images))

    def pretrigger_buffer(self) -> PretriggerBuffer[Sample]:
        """Return a buffer for what comes before an episode."""
        return PretriggerBuffer(self.pretrigger, self.pretrigger_memory * 1_000_000, lambda s: s.received, lambda s: len(s.data))

    @property
    def disk(self) -> DiskLimits:
        """When the disk is too full."""
        return DiskLimits(self.disk_free, self.disk_time, self.disk_reserve)
