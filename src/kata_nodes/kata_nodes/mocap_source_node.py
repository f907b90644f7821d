# SPDX-License-Identifier: Apache-2.0
"""Node `mocap`: plays a recorded human motion as if the person stood there now."""

import sys
from dataclasses import dataclass
from pathlib import Path

from rclpy.node import Node
from std_srvs.srv import SetBool

from kata_core.errors import ConfigError
from kata_core.mocap import load_clip
from kata_core.params import param
from kata_msgs.msg import HumanFrames as HumanFramesMsg
from kata_nodes import params, qos
from kata_nodes.convert import frames_to
from kata_nodes.spin import run


@dataclass(frozen=True)
class NodeConfig:
    """Parameters of the node."""

    clip: str = param("", doc="Path of the motion clip (.bvh).")
    rate: float = param(60.0, unit="Hz", low=0.0, high=240.0, doc="Rate to stream at; 0 for the clip's own.")
    engage: bool = param(False, doc="Whether to start once somebody follows; else ~/engage starts.")
    lead_in: float = param(2.5, unit="s", low=0.0, high=60.0, doc="Time engaged in the first frame, for the robot to get there.")
    loop: bool = param(False, doc="Whether to begin anew at the end; else the person disengages and stays there.")


class MocapSourceNode(Node):
    """Publishes one frame of the clip in each tick, engaged while it plays."""

    def __init__(self) -> None:
        """Read the clip and start publishing."""
        super().__init__("mocap")
        config = params.declare(self, NodeConfig)
        if not config.clip:
            raise ConfigError("no clip given", where="node mocap", fix="set the parameter clip, e.g. clip:=walk.bvh")
        clip = load_clip(Path(config.clip))
        self._clip = clip.resample(config.rate) if config.rate > 0.0 else clip
        self._loop = config.loop
        self._engaged, self._waiting = False, config.engage
        self._lead_in = round(config.lead_in * self._clip.fps)
        self._next = -self._lead_in
        for note in clip.notes:
            self.get_logger().info(note)
        self._frames = self.create_publisher(HumanFramesMsg, "frames", qos.STREAM)
        self.create_service(SetBool, "~/engage", self._on_engage)
        self.create_timer(1.0 / self._clip.fps, self._tick)

    def _on_engage(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._engaged, self._next, self._waiting = request.data, -self._lead_in, False
        response.success, response.message = True, f"{self._clip.duration:.1f} s"
        return response

    def _tick(self) -> None:
        stamp = self.get_clock().now().nanoseconds
        self._frames.publish(frames_to(self._clip.frames(max(self._next, 0), stamp, self._engaged)))
        if not self._engaged:
            # Who follows frames publishes targets; retargeting may take a while to get ready.
            self._engaged = self._waiting and self.count_publishers("target") > 0
            return
        self._waiting = False
        self._next += 1
        if self._next == len(self._clip):
            self._engaged = self._loop
            self._next = 0 if self._loop else len(self._clip) - 1
            self.get_logger().info("starts anew" if self._loop else "is at its end")


def main() -> None:
    """Run the node."""
    sys.exit(run(MocapSourceNode))
