# SPDX-License-Identifier: Apache-2.0
"""Node `mocap`: plays a recorded human motion as if the person stood there now."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.node import Node
from std_srvs.srv import SetBool

from kata_model.config.params import param
from kata_model.errors import ConfigError
from kata_msgs.msg import HumanFrames as HumanFramesMsg
from kata_nodes import params, qos
from kata_nodes.convert import frames_to
from kata_nodes.sources.engage_teller import EngageTeller
from kata_nodes.spin import run
from kata_nodes.ticking import every
from kata_retarget.mocap import load_clip


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node."""

    clip: str = param("", doc="Path of the motion clip (.bvh).")
    rate: float = param(60.0, unit="Hz", low=0.0, high=240.0, doc="Rate to stream at; 0 for the clip's own.")
    engage: bool = param(False, doc="Whether to start once somebody follows; else ~/engage starts.")
    lead_in: float = param(2.5, unit="s", low=0.0, high=60.0, doc="Time engaged in the first frame, for the robot to get there.")
    loop: bool = param(False, doc="Whether to begin anew at the end; else the person disengages and stays there.")


class MocapSourceNode(Node):
    """Publishes where the person of the clip is at each tick's time, engaged while it plays."""

    def __init__(self, **options: Any) -> None:
        """Read the clip and start publishing."""
        super().__init__("mocap", **options)
        config = params.declare(self, NodeConfig)
        if not config.clip:
            raise ConfigError("no clip given", where="node mocap", fix="set the parameter clip, e.g. clip:=walk.bvh")
        self._clip = load_clip(Path(config.clip))
        self._loop, self._lead_in = config.loop, round(config.lead_in * 1e9)
        self._engaged, self._waiting = False, config.engage
        self._start, self._played = 0, 0.0
        for note in self._clip.notes:
            self.get_logger().info(note)
        self._frames = self.create_publisher(HumanFramesMsg, "frames", qos.STREAM)
        self._told = EngageTeller(self, "mocap")
        self.create_service(SetBool, "~/engage", self._on_engage)
        every(self, 1.0 / (config.rate or self._clip.fps), self._tick)

    def _on_engage(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._waiting = False
        if not (request.data and self._engaged):  # a repeated request changes nothing
            self._begin(request.data, self.get_clock().now().nanoseconds)
        response.success, response.message = True, f"{self._clip.duration:.1f} s"
        return response

    def _begin(self, engaged: bool, now: int) -> None:
        """Stand in the first frame; engaged, play after the lead-in."""
        self._engaged, self._start, self._played = engaged, now + self._lead_in, 0.0

    def _tick(self, now: int) -> None:
        # Who follows frames publishes targets; retargeting may take a while to get ready.
        if self._waiting and self.count_publishers("target") > 0:
            self._waiting = False
            self._begin(True, now)
        engaged = self._engaged
        if engaged:
            self._play((now - self._start) * 1e-9, now)
        row = np.array([self._played * self._clip.fps])
        self._frames.publish(frames_to(self._clip.at(row, self._clip.fps).frames(0, now, engaged)))
        self._told.tell(engaged)

    def _play(self, elapsed: float, now: int) -> None:
        """Go on to where the person is after a time [s] since the first frame moved."""
        duration = self._clip.duration
        self._played = min(max(elapsed, 0.0), duration)
        if elapsed < duration:
            return
        if self._loop:
            self._start = now
        else:
            self._engaged = False
        self.get_logger().info("starts anew" if self._loop else "is at its end")


def main() -> None:
    """Run the node."""
    sys.exit(run(MocapSourceNode))
