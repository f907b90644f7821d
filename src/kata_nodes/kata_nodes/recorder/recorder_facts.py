# SPDX-License-Identifier: Apache-2.0
"""What a bag tells beside its messages: robot, parameters, software, clocks, losses."""

from collections.abc import Mapping, Sequence

from rclpy.node import Node

from kata_model.robot.description import load_description
from kata_nodes.clocks import in_lockstep, steady_time
from kata_nodes.interfaces import message_type
from kata_nodes.recorder.bag_metadata import BagTopic, qos_entry
from kata_nodes.recorder.clock_watch import ClockWatch
from kata_nodes.recorder.parameter_census import ParameterCensus
from kata_nodes.recorder.recorder_config import RecorderConfig
from kata_nodes.recorder.stream_intake import StreamIntake
from kata_nodes.recorder.take import Attachment, stream_counts

__all__ = ["RecorderFacts"]

_PERIOD = 1.0
"""Time between two questions to other clocks [s]."""


class RecorderFacts:
    """Gathers what is stored with each episode.

    Attributes:
        marks: Full name of the topic of marks.
    """

    def __init__(self, node: Node, config: RecorderConfig, intakes: Sequence[StreamIntake], simulated: bool) -> None:
        """Read what does not change.

        Raises:
            ConfigError: A label is wrong.
            RobotError: The robot is unknown.
        """
        self._node, self._config, self._intakes, self._simulated = node, config, intakes, simulated
        self.marks = node.resolve_topic_name("episode/marks")
        self._labels = dict(entry.partition("=")[::2] for entry in config.labels)
        self._robot = _describe(config.robot) if config.robot else ()
        self._census, self._clocks = ParameterCensus(node), ClockWatch(node, config.clock_echoes)
        self._stored_parameters, self._asked, self._steady = "", 0, steady_time(node)

    def look(self) -> None:
        """Go on asking other nodes."""
        self._census.look()
        now = self._steady()
        if now - self._asked > _PERIOD * 1e9:
            self._asked = now
            self._clocks.ask()

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
        offsets = self._clocks.text
        clocks = {"clock_offsets": offsets} if offsets else {}
        return {**stream_counts(self._intakes, refused), "marks": str(marks), **clocks}

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
