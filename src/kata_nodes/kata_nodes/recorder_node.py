# SPDX-License-Identifier: Apache-2.0
"""Node `recorder`: records each episode as a bag of its own, whole or not at all.

Messages are stored as they came over the wire, with their source stamps inside; the log time is when they
were received by the node's ROS clock, which is the simulator's where ``use_sim_time`` is set, so that source
and receive stamps can be compared.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rclpy.node import Node

from kata_core.episode import EpisodeMachine, EpisodePhase
from kata_core.errors import DataError
from kata_msgs.msg import EpisodeState
from kata_msgs.srv import DiscardEpisode, SaveEpisode, StartEpisode
from kata_nodes import params, qos
from kata_nodes.bag_metadata import BagTopic, qos_entry
from kata_nodes.bag_writer import BagWriter, next_episode
from kata_nodes.convert import episode_to
from kata_nodes.interfaces import message_type
from kata_nodes.recorder_config import RecorderConfig
from kata_nodes.spin import run


class RecorderNode(Node):
    """Writes between ``episode/start`` and ``episode/save``; ``episode/discard`` and every shutdown remove what is unfinished."""

    def __init__(self) -> None:
        """Subscribe to all topics, so that nothing is lost at the start of an episode."""
        super().__init__("recorder")
        self._config = params.declare(self, RecorderConfig)
        self._machine = EpisodeMachine()
        self._bag: BagWriter | None = None
        self._path = ""
        self._heard: set[str] = set()
        self._state = self.create_publisher(EpisodeState, "episode/state", qos.LATCHED)
        for topic in self._topics():
            self.create_subscription(topic.type.python, topic.name, self._store(topic.name), qos.RECORD, raw=True)
        self.create_service(StartEpisode, "episode/start", self._on_start)
        self.create_service(SaveEpisode, "episode/save", self._on_save)
        self.create_service(DiscardEpisode, "episode/discard", self._on_discard)
        self._publish("")

    def _topics(self) -> list[BagTopic]:
        """Return what is recorded, with the QoS of the publishers seen by now."""
        pairs = [entry.split() for entry in self._config.topics]
        named = [(self.resolve_topic_name(pair[0]), message_type(pair[-1])) for pair in pairs]
        return [BagTopic(name, kind, self._offered(name)) for name, kind in named]

    def _offered(self, topic: str) -> list[dict[str, Any]]:
        return [qos_entry(publisher.qos_profile) for publisher in self.get_publishers_info_by_topic(topic)]

    def _store(self, topic: str) -> Callable[[bytes], None]:
        """Return the callback of one topic."""

        def store(data: bytes) -> None:
            if self._bag is not None:
                try:
                    self._bag.write(topic, data, self.get_clock().now().nanoseconds)
                except OSError as error:
                    self._drop(f"cannot write: {error}")

        return store

    def _on_start(self, request: StartEpisode.Request, response: StartEpisode.Response) -> StartEpisode.Response:
        response.message = self._machine.start(request.task)
        if not response.message:
            try:
                self._bag = BagWriter(next_episode(Path(self._config.directory)), self._topics())
            except DataError as error:
                response.message = self._drop(str(error))
        response.success = not response.message
        self._publish(response.message)
        return response

    def _on_save(self, request: SaveEpisode.Request, response: SaveEpisode.Response) -> SaveEpisode.Response:
        if self._bag is None:
            response.message = self._machine.save()
            return response
        try:
            response.path = self._path = str(self._bag.save(self._facts(request)))
        except OSError as error:
            response.message = self._drop(f"cannot write: {error}")
            return response
        lost, self._bag = self._lost(self._bag), None
        self._machine.save(request.task)
        response.success, response.message = True, f"nothing came on {', '.join(lost)}" if lost else ""
        self._publish(response.message)
        return response

    def _lost(self, bag: BagWriter) -> list[str]:
        """Return the topics that are published, or once were, and gave nothing; a policy, say, has no frames at all."""
        self._heard |= bag.heard
        return [topic for topic in bag.silent if topic in self._heard or self.count_publishers(topic)]

    def _on_discard(self, request: DiscardEpisode.Request, response: DiscardEpisode.Response) -> DiscardEpisode.Response:
        if self._bag is None:
            response.message = self._machine.discard()
        else:
            self._drop(request.reason)
        response.success = not response.message
        return response

    def _drop(self, reason: str) -> str:
        """Remove the running episode, and return the reason as it was given."""
        self._machine.discard()
        if self._bag is not None:
            self._bag.discard()
        self._bag = None
        self.get_logger().warning(f"episode discarded: {reason or 'no reason given'}")
        self._publish(reason)
        return reason

    def _facts(self, request: SaveEpisode.Request) -> dict[str, str]:
        labels = dict(entry.partition("=")[::2] for entry in self._config.labels)
        clock = "simulated" if self.get_parameter("use_sim_time").value else "system"
        success = str(request.task_success).lower()
        return {"task": request.task or self._machine.task, "task_success": success, "clock": clock, **labels}

    def _publish(self, note: str) -> None:
        messages = self._bag.messages if self._bag else 0
        self._state.publish(episode_to(self.get_clock().now().nanoseconds, self._machine, self._path, messages, note))

    def destroy_node(self) -> None:
        """Remove an episode that was not saved."""
        if self._machine.phase is EpisodePhase.RECORDING:
            self._drop("the recorder was stopped")
        super().destroy_node()


def main() -> None:
    """Run the node."""
    sys.exit(run(RecorderNode))
