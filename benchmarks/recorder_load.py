# SPDX-License-Identifier: Apache-2.0
"""A robot's data, published by this process until SIGINT: the load of `benchmarks/recorder.py`.

Every message bears the time just before it was sent, and its number in eight digits as ``frame_id``, so that a reader
can count by itself. Messages are serialised once and these two fields patched, lest the load be the bottleneck.
"""

import json
import signal
import struct
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Header

from kata_model import load_robot
from kata_msgs.msg import JointCommand, Verdict
from kata_nodes import qos

PERIOD = 0.002
"""Time between two looks at what is due [s]."""

STATES = {"joint_states": 500, "command": 250, "target": 250, "verdict": 250}
CAMERAS = {"camera/left/image_raw": 30, "camera/right/image_raw": 30}
"""Rates [Hz]."""


@dataclass
class Stream:
    """A topic with its pictures or samples, in turn."""

    publisher: Any
    data: list[bytearray]
    period: float
    due: float = 0.0
    count: int = 0

    def send(self, now: float) -> None:
        """Publish if it is time."""
        if now < self.due:
            return
        self.due = max(self.due + self.period, now - self.period)
        self.count += 1
        data = self.data[self.count % len(self.data)]
        stamp = time.time_ns()
        struct.pack_into("<iI", data, 4, stamp // 1_000_000_000, stamp % 1_000_000_000)
        data[16:24] = b"%08d" % self.count
        self.publisher.publish(bytes(data))


def samples(topic: str, rng: np.random.Generator) -> tuple[type, list[bytearray]]:
    """Return the type of a topic and some serialised messages."""
    head = Header(frame_id="00000000")
    if topic in CAMERAS:
        return Image, [bytearray(serialize_message(picture(head, rng))) for _ in range(6)]
    names = list(load_robot("g1").layout.names)
    values = rng.normal(size=(8, len(names))).tolist()
    if topic == "joint_states":
        return JointState, [_plain(JointState(header=head, name=names, position=v, velocity=v, effort=v)) for v in values]
    if topic == "verdict":
        return Verdict, [_plain(Verdict(header=head, names=names, joint_flags=[0] * len(names)))]
    fields = ("position", "velocity", "effort", "stiffness", "damping")
    return JointCommand, [_plain(JointCommand(header=head, names=names, **dict.fromkeys(fields, v))) for v in values]


def _plain(message: Any) -> bytearray:
    return bytearray(serialize_message(message))


def picture(head: Header, rng: np.random.Generator) -> Image:
    """Return a scene of smooth colours and edges with a camera's noise, 640 × 480."""
    y, x = np.mgrid[0:480, 0:640]
    phase = rng.uniform(0.0, 6.0, 3)
    smooth = 110 + 60 * np.sin(x[..., None] / 90 + phase) * np.cos(y[..., None] / 70 + phase)
    smooth[120:300, 200:420] += 40
    noisy = np.clip(smooth + rng.normal(0.0, 2.0, smooth.shape), 0, 255).astype(np.uint8)
    return Image(header=head, height=480, width=640, encoding="rgb8", step=1920, data=noisy.tobytes())


def main() -> None:
    """Publish until SIGINT, then print the number of messages by topic."""
    group = {"states": STATES, "cameras": CAMERAS}[sys.argv[1]]
    stopping: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: stopping.append(number))
    rclpy.init(args=[], signal_handler_options=rclpy.SignalHandlerOptions.NO)
    node, rng = Node(f"load_{sys.argv[1]}"), np.random.default_rng(0)
    streams = {}
    for topic, rate in group.items():
        kind, data = samples(topic, rng)
        streams[f"/{topic}"] = Stream(node.create_publisher(kind, topic, qos.STREAM), data, 1.0 / rate)
    while not stopping:
        now = time.monotonic()
        for stream in streams.values():
            stream.send(now)
        time.sleep(max(0.0, PERIOD - (time.monotonic() - now)))
    print(json.dumps({topic: stream.count for topic, stream in streams.items()}), flush=True)
    time.sleep(1.0)  # what was sent last is still on its way
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main()
