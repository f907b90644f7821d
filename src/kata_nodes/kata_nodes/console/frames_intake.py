# SPDX-License-Identifier: Apache-2.0
"""Binary frames of clients: decoded, limited, admitted by number and age, given to whom they drive."""

from kata_nodes.console.serving.client import Client
from kata_nodes.console.session import Session
from kata_teleop.console import GamepadFrame, HeadsetFrame, decode
from kata_teleop.engage import LAYOUTS

__all__ = ["FramesIntake"]

_TOLD_EVERY = 1_000_000_000  # a client is told once a second at most that its frames are refused [ns]


class FramesIntake:
    """Refuses what is malformed, too much, replayed, late, or not the operator's; logs the first of a second."""

    def __init__(self, session: Session) -> None:
        """Take the shared state."""
        self._session = session
        self._stop = LAYOUTS[session.pad.layout].buttons["estop"]
        self._told: dict[tuple[int, str], int] = {}

    def take(self, client: Client, data: bytes, now: int) -> str:
        """Take a frame at a time [ns]; return why it is malformed, or an empty string."""
        frame, fault = decode(data)
        if frame is None:
            client.refused += 1
            return fault
        self._look_for_stop(client, frame)
        kind = "headset" if isinstance(frame, HeadsetFrame) else "gamepad"
        if not client.frames[kind].take(now):
            if client.patience.ends(now):
                client.overflown = True
            return self._refuse(client, "too_fast", "Too many frames.", now)
        if client.number != self._session.lease.holder:
            return self._refuse(client, "not_operator", "Only the operator's frames count. Take the seat first.", now)
        age = client.age(frame.time, now)
        if age is None:
            return self._refuse(client, "not_synced", "The clock is not known yet: answer the pings first.", now)
        refused = client.links[kind].admit(frame.sequence, now - round(age * 1e9), now)
        if refused:
            return self._refuse(client, "refused", f"A frame was {refused}.", now)
        if isinstance(frame, HeadsetFrame):
            if self._session.drives:
                self._session.headset(client, frame, age, now)
        else:
            self._session.gamepad(client, frame, age, now)
        return ""

    def _look_for_stop(self, client: Client, frame: HeadsetFrame | GamepadFrame) -> None:
        """Press the stop when a gamepad's button for it goes down, whoever holds it and whatever else is wrong with the frame."""
        if isinstance(frame, GamepadFrame):
            down = any(value > 0.5 for value in frame.buttons[self._stop : self._stop + 1])
            if down and not client.stop_down:
                self._session.press(client.number, client.name)
            client.stop_down = down

    def _refuse(self, client: Client, code: str, text: str, now: int) -> str:
        client.refused += 1
        if now - self._told.get((client.number, code), -_TOLD_EVERY) >= _TOLD_EVERY:
            self._told[client.number, code] = now
            client.tell("error", code=code, text=text)
            self._session.graph.log(client.number, client.name, "refused_frame", {"code": code}, text)
        return ""
