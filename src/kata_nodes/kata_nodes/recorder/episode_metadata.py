# SPDX-License-Identifier: Apache-2.0
"""What a bag tells beside its messages: robot, parameters, software, clock, losses, quality of service."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSProfile

from kata_data.bags.definitions import BagTopic
from kata_model.robot.description import load_description
from kata_nodes.clocks import in_lockstep
from kata_nodes.interfaces import message_type
from kata_nodes.recorder.parameter_census import ParameterCensus
from kata_nodes.recorder.recorder_config import RecorderConfig
from kata_nodes.recorder.stream_intake import StreamIntake

__all__ = ["Attachment", "EpisodeMetadata", "qos_entry"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text that is stored in a bag.

    Attributes:
        name: File name.
        media_type: Such as ``application/yaml``.
        text: Content.
    """

    name: str
    media_type: str
    text: str


class EpisodeMetadata:
    """Gathers what is stored with each episode.

    Attributes:
        marks: Full name of the topic of marks.
    """

    def __init__(self, node: Node, config: RecorderConfig, intakes: Sequence[StreamIntake]) -> None:
        """Read what does not change.

        Raises:
            ConfigError: A label is wrong.
            RobotError: The robot is unknown.
        """
        self._node, self._config, self._intakes = node, config, intakes
        self._simulated = bool(node.get_parameter("use_sim_time").value)
        self.marks = node.resolve_topic_name("episode/marks")
        self._labels = dict(entry.partition("=")[::2] for entry in config.labels)
        self._robot = _describe(config.robot) if config.robot else ()
        self._census, self._stored_parameters = ParameterCensus(node), ""

    def look(self) -> None:
        """Go on asking other nodes."""
        self._census.look()

    def topics(self) -> list[BagTopic]:
        """Return what is recorded, with the QoS of the publishers seen by now."""
        streams = [BagTopic(i.stored, i.type, self._offered(i.name)) for i in self._intakes]
        return [*streams, BagTopic(self.marks, message_type("kata_msgs/msg/EpisodeMark"), self._offered(self.marks))]

    def _offered(self, topic: str) -> list[dict[str, object]]:
        return [qos_entry(publisher.qos_profile) for publisher in self._node.get_publishers_info_by_topic(topic)]

    def at_start(self, task: str) -> dict[str, str]:
        """Return the facts that are known when an episode begins."""
        clock = "lockstep" if in_lockstep() else "simulated" if self._simulated else "system"
        robot = {"robot": self._config.robot} if self._config.robot else {}
        return {"task": task, "clock": clock, "pretrigger": f"{self._config.pretrigger:g}", **robot, **self._labels}

    def at_end(self, refused: Mapping[str, int], marks: int) -> dict[str, str]:
        """Return the facts that are known when an episode ends."""
        return {**_stream_counts(self._intakes, refused), "marks": str(marks)}

    def attachments(self) -> list[Attachment]:
        """Return the files that a bag begins with; in lockstep no parameters, for it is chance who has told them by now."""
        self._stored_parameters = ""
        return [*self._robot, *([] if in_lockstep() else self._parameters("parameters.yaml"))]

    def changed_attachments(self) -> list[Attachment]:
        """Return the files that have changed since."""
        name = "parameters_at_end.yaml" if self._stored_parameters else "parameters.yaml"
        return self._parameters(name) if self._census.text != self._stored_parameters else []

    def _parameters(self, name: str) -> list[Attachment]:
        self._stored_parameters = self._census.text
        return [Attachment(name, "application/yaml", self._stored_parameters)] if self._stored_parameters else []


def _describe(robot: str) -> tuple[Attachment, ...]:
    """Return the files that describe a robot."""
    description = load_description(robot)
    sheet = (description.folder / "robot.yaml").read_text(encoding="utf-8")
    urdf = description.urdf.read_text(encoding="utf-8")
    return Attachment("robot.urdf", "application/xml", urdf), Attachment("robot.yaml", "application/yaml", sheet)


def _stream_counts(intakes: Sequence[StreamIntake], refused: Mapping[str, int]) -> dict[str, str]:
    """Return facts for the bag: what was received and lost on each stream (JSON), and lost in all."""
    counts = {
        i.stored: {"received": i.drops.received, "lost": i.drops.lost, "refused": refused.get(i.stored, 0)}
        for i in intakes
        if i.drops.received
    }
    lost = sum(count["lost"] + count["refused"] for count in counts.values())
    return {"streams": json.dumps(counts), "lost": str(lost)}


def qos_entry(profile: QoSProfile) -> dict[str, Any]:
    """Return a profile as rosbag2 stores it."""
    return {
        "history": profile.history.name.lower(),
        "depth": profile.depth,
        "reliability": profile.reliability.name.lower(),
        "durability": profile.durability.name.lower(),
        "deadline": _duration(profile.deadline),
        "lifespan": _duration(profile.lifespan),
        "liveliness": profile.liveliness.name.lower(),
        "liveliness_lease_duration": _duration(profile.liveliness_lease_duration),
        "avoid_ros_namespace_conventions": profile.avoid_ros_namespace_conventions,
    }


def _duration(duration: Duration) -> dict[str, int]:
    sec, nsec = divmod(duration.nanoseconds, 1_000_000_000)
    return {"sec": sec, "nsec": nsec}
