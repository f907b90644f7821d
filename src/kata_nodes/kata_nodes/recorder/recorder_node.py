# SPDX-License-Identifier: Apache-2.0
"""Node `recorder`: records each episode as a bag of its own, whole or not at all.

Messages are stored as they came over the wire, with their source stamps inside; the log time is when they were received, by the
middleware's stamp, or by the simulator's time where ``use_sim_time`` is set. Whatever is lost is said while it happens.
"""

import sys
from typing import Any

from rclpy.node import Node

from kata_data.recording.episode import EpisodeMachine, EpisodePhase, MarkKind, parse_labels
from kata_model.errors import DataError, KataError
from kata_msgs.msg import EpisodeMark
from kata_msgs.srv import DiscardEpisode, MarkEpisode, SaveEpisode, StartEpisode
from kata_nodes import params, qos
from kata_nodes.clocks import steady_clock
from kata_nodes.convert import mark_to, to_time
from kata_nodes.recorder.bag_thread import Sample
from kata_nodes.recorder.episode_metadata import EpisodeMetadata
from kata_nodes.recorder.episode_writer import EpisodeWriter, encoders
from kata_nodes.recorder.recorder_config import RecorderConfig
from kata_nodes.recorder.recorder_watch import RecorderWatch
from kata_nodes.recorder.stream_intake import stream_intakes
from kata_nodes.services import once
from kata_nodes.spin import run


class RecorderNode(Node):
    """Writes between ``episode/start`` and ``episode/save``; what a shutdown cuts off can be repaired."""

    def __init__(self, **options: Any) -> None:
        """Subscribe to all topics, so that nothing is lost at the start of an episode."""
        super().__init__("recorder", **options)
        self._config = params.declare(self, RecorderConfig)
        self._machine = EpisodeMachine()
        self._writer: EpisodeWriter | None = None
        self._before = self._config.pretrigger_buffer()
        self._intakes = stream_intakes(self, self._config.streams(), self._store)
        self._encoders = encoders(self._intakes, self._config.jpeg_quality)
        self._metadata = EpisodeMetadata(self, self._config, self._intakes)
        self._watch = RecorderWatch(self, self._config, self._intakes)
        self._marks = self.create_publisher(EpisodeMark, "episode/marks", qos.EVENT)
        self.create_service(StartEpisode, "episode/start", once(self._on_start))
        self.create_service(SaveEpisode, "episode/save", once(self._on_save))
        self.create_service(DiscardEpisode, "episode/discard", once(self._on_discard))
        self.create_service(MarkEpisode, "episode/mark", once(self._on_mark))
        self.create_timer(0.2, self._look, clock=steady_clock(self))
        self._watch.begin(self._machine)

    def _now(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _store(self, sample: Sample) -> None:
        (self._writer.put if self._writer else self._before.add)(sample)

    def _look(self) -> None:
        self._metadata.look()
        if fault := self._watch.look(self._machine, self._writer):
            self._break_off(fault)

    def _on_start(self, request: StartEpisode.Request, response: StartEpisode.Response) -> StartEpisode.Response:
        response.message = "" if self._writer else self._watch.refusal()
        response.message = response.message or self._machine.start(request.task)
        if not response.message:
            try:
                self._begin()
            except (DataError, OSError) as error:
                self._machine.discard()
                response.message = str(error)
        response.success = not response.message
        self._watch.publish(self._machine, self._writer, response.message)
        return response

    def _begin(self) -> None:
        now = self._now()
        writer = EpisodeWriter(self._config, self._metadata.topics(), self._metadata.at_start(self._machine.task), now)
        writer.attach(self._metadata.attachments(), now)
        for intake in self._intakes:
            intake.begin()
        writer.begin(self._encoders, self._before.take(now))
        self._writer = writer

    def _on_save(self, request: SaveEpisode.Request, response: SaveEpisode.Response) -> SaveEpisode.Response:
        if self._writer is None:
            response.message = self._machine.save()
            return response
        try:
            labels = parse_labels(request.labels)
        except KataError as error:
            response.message = str(error)
            return response
        self._writer.finish()
        outcome = {"task": request.task or self._machine.task, "task_success": str(request.task_success).lower()}
        metadata = {**self._metadata.at_end(self._writer.refused, self._machine.marks), **labels, **outcome}
        try:
            response.path = str(self._writer.save(metadata, self._metadata.changed_attachments(), self._now()))
        except DataError as error:
            response.message = self._break_off(error.what)
            return response
        self._machine.save(request.task)
        response.success, response.message = True, self._watch.account(self._writer)
        self._writer = None
        self._watch.saved(response.path)
        self._watch.publish(self._machine, None, response.message)
        return response

    def _on_discard(self, request: DiscardEpisode.Request, response: DiscardEpisode.Response) -> DiscardEpisode.Response:
        response.message = self._machine.discard()
        if self._writer is not None:
            self._writer.discard()
            self._writer = None
            self.get_logger().warning(f"episode discarded: {request.reason or 'no reason given'}")
            self._watch.publish(self._machine, None, request.reason)
        response.success = not response.message
        return response

    def _on_mark(self, request: MarkEpisode.Request, response: MarkEpisode.Response) -> MarkEpisode.Response:
        now = self._now()
        response.message = self._machine.mark(request.kind)
        if self._writer is not None and not response.message:
            mark = mark_to(now, MarkKind(request.kind), request.label)
            self._writer.mark(self._metadata.marks, mark, now, self._machine.marks)
            self._marks.publish(mark)
        response.success, response.stamp = not response.message, to_time(now)
        return response

    def _break_off(self, reason: str) -> str:
        """End the running episode without completing it, and return how to get at it."""
        if self._writer is None:
            return reason
        reason = f"{reason}; what was written is kept: kata bag repair {self._writer.keep(reason)}"
        self._machine.discard()
        self._writer = None
        self.get_logger().error(reason)
        self._watch.publish(self._machine, None, reason)
        return reason

    def destroy_node(self) -> None:
        """Keep an episode that was not saved."""
        if self._machine.phase is EpisodePhase.RECORDING:
            self._break_off("the recorder was stopped")
        self._watch.close()
        super().destroy_node()


def main() -> None:
    """Run the node."""
    sys.exit(run(RecorderNode))
