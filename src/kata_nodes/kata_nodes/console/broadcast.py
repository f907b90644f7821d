# SPDX-License-Identifier: Apache-2.0
"""What everyone is told about the robot, again and again: states as binary frames, words as JSON."""

from collections import deque
from time import monotonic
from typing import Any

import numpy as np
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage

from kata_model import Status
from kata_model.arrays import FloatArray
from kata_nodes.console.policy_requests import list_policies, tell_policy
from kata_nodes.console.session import Session
from kata_nodes.convert import from_time
from kata_teleop.console import RobotFrame, cause_in_words, encode_camera, encode_robot, reasons_in_words
from kata_teleop.engage import Phase

__all__ = ["Broadcast"]

_FRESH = 500_000_000  # age up to which a target is shown [ns]


class Broadcast:
    """Makes and sends the messages of the server; what did not change is not told again."""

    def __init__(self, session: Session) -> None:
        """Know nothing yet."""
        self._session = session
        self._sequence = self._picture = 0
        self._told: dict[str, Any] = {}
        self._recording_since: float | None = None
        self._stages: dict[str, deque[float]] = {name: deque(maxlen=60) for name in ("retarget", "safety")}

    def welcome(self) -> None:
        """Tell everyone all again, as somebody is new."""
        self._told.clear()
        self._session.tell_lease()
        self.engage()
        self.verdict()
        self.episode()
        tell_policy(self._session)
        self._session.begin(list_policies(self._session))

    def robot(self) -> None:
        """Send the robot's joints."""
        session = self._session
        state = session.state()
        if state is None or not session.clients:
            return
        self._sequence += 1
        count, verdict, target = len(state.position), session.graph.verdicts.read(), self._target(state.stamp)
        episode = session.graph.episode
        bits = (
            target is not None,
            session.pressed,
            episode is not None and episode.state == 1,
            session.policy_state == "running",
        )
        flags = verdict.joint_flags.tobytes() if verdict is not None and len(verdict.joint_flags) == count else bytes(count)
        frame = RobotFrame(
            sequence=self._sequence,
            stamp=state.stamp,
            status=verdict.status if verdict is not None else 0,
            phase=int(session.phase),
            flags=sum(bit << k for k, bit in enumerate(bits)),
            base=self._base(),
            measured=state.position,
            target=np.full(count, np.nan) if target is None else target,
            joint_flags=flags,
        )
        data = encode_robot(frame)
        for client in session.clients.values():
            client.show_robot(data)

    def camera(self, now: int) -> None:
        """Send the newest picture to those who wait for one."""
        picture = self._session.graph.picture
        waiting = [c for c in self._session.clients.values() if c.wants_picture(now)]
        if picture is None or picture.number == self._picture or not waiting:
            return
        self._picture = picture.number
        message = deserialize_message(picture.data, CompressedImage)
        data = encode_camera(picture.number, from_time(message.header.stamp), bytes(message.data))
        for client in waiting:
            client.show_picture(picture.number, data, now)

    def verdict(self) -> None:
        """Tell what safety says."""
        message = self._session.graph.verdicts.read()
        if message is None:
            self._tell("verdict", status="standby", reasons=[], words=["Nobody hears the safety filter."], joints=[], estop=False)
            return
        self._note_stages(message)
        flagged = [name for name, flag in zip(message.names, message.joint_flags, strict=False) if flag]
        status = Status(message.status).name.lower() if message.status in list(Status) else "standby"
        words, pressed = reasons_in_words(message.reasons), self._session.pressed or "emergency_stop" in message.reasons
        self._tell("verdict", status=status, reasons=list(message.reasons), words=words, joints=flagged, estop=pressed)

    def engage(self) -> None:
        """Tell where the engage contract stands."""
        source = self._session.config.source
        if self._session.drives:
            s = self._session.teleop.status()
            hands = {
                name: {"tracked": h.tracked, "clutched": h.clutched, "angle": _finite(h.mismatch)} for name, h in s.hands.items()
            }
            phase, cause, mode, scale, precise = s.phase, s.cause, s.mode, s.scale, s.precise
        else:
            message = self._session.graph.engages.read()
            phase, cause, hands = self._session.phase, message.cause if message else "", {}
            mode, scale, precise = (message.mode, message.scale, message.precise) if message else ("toggle", 1.0, False)
            for k, name in enumerate(message.hands if message else ()):
                hands[name] = {
                    "tracked": bool(message.tracked[k]),
                    "clutched": bool(message.clutched[k]),
                    "angle": _finite(message.mismatch[k]),
                }
        self._session.tell_all(
            "engage",
            state=Phase(phase).name.lower(),
            source=source,
            cause=cause,
            text=cause_in_words(cause),
            mode=mode,
            scale=scale,
            precise=precise,
            hands=hands,
        )

    def publish_engage(self) -> None:
        """Publish the same as a message, if this is the source."""
        if self._session.drives:
            operator = self._session.operator
            self._session.graph.publish_engage(self._session.teleop.status(), operator.links["headset"] if operator else None)

    def episode(self) -> None:
        """Tell what the recorder does."""
        m = self._session.graph.episode
        if m is None:
            self._tell("episode", available=False, recording=False)
            return
        recording = bool(m.state)
        if not recording:
            self._recording_since = None
        elif self._recording_since is None:
            self._recording_since = monotonic()
        seconds = round(monotonic() - self._recording_since, 1) if self._recording_since is not None else 0.0
        counts = {name: int(getattr(m, name)) for name in ("saved", "discarded", "messages", "marks", "lost")}
        texts = {name: str(getattr(m, name)) for name in ("task", "path", "note", "grade")}
        reasons = list(m.grade_reasons)
        self._tell("episode", available=True, recording=recording, seconds=seconds, reasons=reasons, **counts, **texts)

    def link(self) -> None:
        """Tell each client about its connection."""
        for client in self._session.clients.values():
            best = client.clock.best
            if best is None:
                continue
            kind = max(client.links, key=lambda name: client.links[name].received)
            link = client.links[kind]
            # client's clock = ours + offset; the robot's clock beside ours, both read now
            ahead = self._session.graph.now() * 1e-6 - _steady_ms() - best.offset * 1e3
            stages = {name: _median_ms(values) for name, values in self._stages.items()}
            client.tell(
                "link",
                offset_ms=ahead,
                rtt_ms=best.delay * 1e3,
                delay_ms=_scaled(link.delay),
                jitter_ms=_scaled(link.jitter),
                lost=link.lost,
                late=link.late,
                refused=client.refused,
                stages={"socket": _scaled(link.delay), **stages},
            )

    def _tell(self, kind: str, **fields: Any) -> None:
        if self._told.get(kind) != fields:
            self._told[kind] = fields
            self._session.tell_all(kind, **fields)

    def _target(self, stamp: int) -> FloatArray | None:
        """Return the target, shape (n,), [rad]; None if it is old."""
        message = self._session.graph.targets.read()
        command = self._session.graph.joints.command_from(message).value if message is not None else None
        return command.position if command is not None and abs(stamp - command.stamp) < _FRESH else None

    def _base(self) -> FloatArray:
        message = self._session.graph.odom.read()
        if message is None:
            return np.array([0.0, 0.0, self._session.graph.robot.description.base_height, 0.0, 0.0, 0.0, 1.0])
        p, q = message.pose.pose.position, message.pose.pose.orientation
        return np.array([p.x, p.y, p.z, q.x, q.y, q.z, q.w])

    def _note_stages(self, message: Any) -> None:
        source, target, command = (from_time(s) for s in (message.source_stamp, message.target_stamp, message.command_stamp))
        if source and target and message.status in (Status.FOLLOWING, Status.LIMITED):
            self._stages["retarget"].append((target - source) * 1e-6)
            self._stages["safety"].append((command - target) * 1e-6)


def _steady_ms() -> float:
    return monotonic() * 1e3


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _scaled(seconds: float) -> float | None:
    return _finite(seconds * 1e3)


def _median_ms(values: deque[float]) -> float | None:
    return float(np.median(values)) if values else None
