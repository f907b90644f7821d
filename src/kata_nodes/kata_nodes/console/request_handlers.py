# SPDX-License-Identifier: Apache-2.0
"""Request handlers: what a client may ask for in JSON, and what is done about it."""

import asyncio
import io
import math
from collections.abc import Awaitable, Callable
from time import monotonic_ns
from typing import Any

import segno
from std_srvs.srv import SetBool, Trigger

from kata_data.recording.episode import MarkKind
from kata_msgs.srv import DiscardEpisode, MarkEpisode, SaveEpisode, StartEpisode
from kata_nodes.console.answer import Answer
from kata_nodes.console.policy_requests import serve_policy
from kata_nodes.console.serving.client import Client
from kata_nodes.console.serving.errands import Errands
from kata_nodes.console.serving.message import read_message
from kata_nodes.console.session import Session
from kata_nodes.console.stop_requests import StopRequests

__all__ = ["RequestHandlers"]

_ANYONE = frozenset({"pong", "visible", "role", "camera", "seen"})
_SILENT = frozenset({"pong", "seen", "visible"})  # neither limited like others nor logged
_LIMITS = {"reset": 10.0, "engage": 10.0, "code": 5.0, "episode": 40.0, "policy": 45.0, "world": 30.0}
"""Requests that may take time, and how long each may take [s]; the others are done at once."""

_PATIENCE = {"episode/save": 30.0, "sim/reset_world": 10.0}
"""Longest wait for services that may take longer than 5 s."""

_LONGEST_TEXT = 500


class RequestHandlers:
    """Serves requests; whatever is asked for and by whom is logged. Nothing that one asks for delays what another does."""

    def __init__(self, session: Session, link: Callable[[str], str]) -> None:
        """Take the shared state, and what makes the link for a pairing code."""
        self._session, self._link = session, link
        self._stops, self._errands = StopRequests(session), Errands(session.begin)
        self._at_once: dict[str, Callable[[Client, dict[str, Any]], Answer]] = {
            name: getattr(self, f"_on_{name}") for name in (*_ANYONE, "hand_over", "scale")
        }
        self._later: dict[str, Callable[[Client, dict[str, Any]], Awaitable[Answer]]] = {
            name: getattr(self, f"_on_{name}") for name in _LIMITS
        }

    def take(self, client: Client, text: str) -> None:
        """Take a message in, without waiting for anything; a stop counts before all that could be wrong with it or its sender."""
        message, now = read_message(text), monotonic_ns()
        kind, fields = message.kind, message.fields
        if kind == "estop":
            self._stops.press(client, None if message.fault else fields.get("id"))
        elif client.overflown:
            pass
        elif message.fault:
            self.malformed(client, message.fault, now)
        elif kind not in _SILENT and not client.messages.take(now):
            self._too_fast(client, now)
        elif kind not in self._at_once and kind not in self._later:
            client.tell("error", code="unknown_type", text=f"no message is called {kind[:40]!r}")
        elif kind not in _ANYONE and client.number != self._session.lease.holder:
            self._log(client, kind, fields, "not_operator")
            client.tell("error", code="not_operator", text="Only the operator may do that. Take the seat first.")
            client.answer(fields.get("id"), Answer(False, "Only the operator may do that."))
        else:
            self._serve(client, kind, fields)

    def _serve(self, client: Client, kind: str, fields: dict[str, Any]) -> None:
        def tell(answer: Answer | str) -> None:
            self._tell(client, kind, fields, answer)

        if kind in self._later:
            lane = (client.number, kind, _lets_go(fields))
            self._errands.send(lane, lambda: self._later[kind](client, fields), _LIMITS[kind], tell)
            return
        try:
            tell(self._at_once[kind](client, fields))
        except (TypeError, ValueError, KeyError, ArithmeticError) as error:
            tell(str(error))

    def _tell(self, client: Client, kind: str, fields: dict[str, Any], answer: Answer | str) -> None:
        """Tell a client what became of its request: done or not, or a text that says why it is malformed."""
        if isinstance(answer, str):
            self.malformed(client, f"{kind}: {answer}", monotonic_ns())
            return
        if kind not in _SILENT:
            self._log(client, kind, fields, "" if answer.ok else answer.text)
        client.answer(fields.get("id"), answer)
        if not answer.ok and not isinstance(fields.get("id"), int) and client.number == self._session.lease.holder:
            client.tell("error", code="refused", text=answer.text)

    def malformed(self, client: Client, fault: str, now: int) -> None:
        """Tell a client that its message is of no use; too many end its connection."""
        self._session.graph.log(client.number, client.name, "malformed", {}, fault[:200])
        client.tell("error", code="malformed", text=fault[:200])
        if not client.malformed.take(now):
            client.overflown = True

    def _too_fast(self, client: Client, now: int) -> None:
        if client.patience.ends(now):
            client.overflown = True
        if client.told_too_fast.take(now):
            client.tell("error", code="too_fast", text="Too many messages.")

    def _log(self, client: Client, kind: str, message: dict[str, Any], reason: str) -> None:
        action = f"{kind}/{message['do']}" if isinstance(message.get("do"), str) else kind
        self._session.graph.log(client.number, client.name, action[:60], message, reason)

    def _on_pong(self, client: Client, message: dict[str, Any]) -> Answer:
        time = float(message["t"])
        if not (math.isfinite(time) and 0.0 <= time < 1e12):
            raise ValueError("t is no time")
        client.pong(int(message["n"]), round(time * 1e6))
        return Answer(True)

    def _on_visible(self, client: Client, message: dict[str, Any]) -> Answer:
        client.visible = bool(message["on"])
        return Answer(True)

    def _on_seen(self, client: Client, message: dict[str, Any]) -> Answer:
        client.saw_picture(int(message["seq"]))
        return Answer(True)

    def _on_camera(self, client: Client, message: dict[str, Any]) -> Answer:
        rate = float(message.get("rate", 30.0))
        if not 1.0 <= rate <= 60.0:
            raise ValueError("rate is 1 to 60")
        client.watch_camera(rate if message["on"] else 0.0)
        return Answer(True)

    def _on_role(self, client: Client, message: dict[str, Any]) -> Answer:
        session = self._session
        if message["want"] == "viewer":
            if client.number == session.lease.holder and session.policy_state == "running":
                return Answer(False, "Stop the policy first, or hand over: somebody must watch it.")
            if session.lease.leave(client.number):
                session.vacate()
            return Answer(True)
        if message["want"] != "operator":
            raise ValueError("want is operator or viewer")
        fault = session.lease.take(client.number)
        if fault:
            if session.operator is not None:
                session.operator.tell("request", client=client.number, name=client.name)
            return Answer(False, fault)
        session.tell_lease()
        return Answer(True)

    def _on_hand_over(self, client: Client, message: dict[str, Any]) -> Answer:
        fault = self._session.lease.hand_over(client.number, int(message["to"]), frozenset(self._session.clients))
        if not fault:
            self._session.vacate()
        return Answer(not fault, fault)

    async def _on_code(self, client: Client, message: dict[str, Any]) -> Answer:
        code = self._session.pairing.new_code(monotonic_ns())
        url = self._link(code)
        return Answer(True, "", {"code": code, "url": url, "svg": await asyncio.to_thread(_svg, url)})

    async def _on_reset(self, client: Client, message: dict[str, Any]) -> Answer:
        return await self._release(self._session.presses)

    async def _release(self, presses: int) -> Answer:
        """End the stop, unless somebody has pressed it since: it was pressed that often when this was asked for."""
        session, answer = self._session, None
        for attempt in range(10):  # the release and the request travel on different ways
            if session.presses != presses:
                return Answer(False, "The stop was pressed again.")
            if attempt == 0:
                session.pressed = False
                session.graph.press(False)
                session.teleop.release()
            answer = await session.graph.ask("safety/reset", Trigger.Request())
            if answer is None or answer.success or "emergency_stop" not in answer.message:
                break
            await asyncio.sleep(0.05)
        if answer is None:
            return Answer(False, "The safety filter does not answer.")
        return Answer(answer.success, "" if answer.success else f"Not yet: {answer.message}")

    async def _on_engage(self, client: Client, message: dict[str, Any]) -> Answer:
        session, on = self._session, bool(message["on"])
        if not session.drives:
            if on and session.refusal():
                return Answer(False, "The robot is stopped, or a policy moves it.")
            return await self._ask(f"{session.config.source}/engage", SetBool.Request(data=on))
        if on:
            return Answer(False, "Hold the clutch: the squeeze of a controller, a pinch, or the enabling button.")
        session.teleop.release()
        return Answer(True)

    def _on_scale(self, client: Client, message: dict[str, Any]) -> Answer:
        value = float(message["value"])
        if not 0.05 <= value <= 3.0:
            raise ValueError("value is 0.05 to 3")
        self._session.teleop.set_scale(value)
        return Answer(True)

    async def _on_world(self, client: Client, message: dict[str, Any]) -> Answer:
        if message["do"] != "reset":
            raise ValueError("do is reset")
        if not self._session.graph.offers("sim/reset_world"):
            return Answer(False, "Only a simulated world can be reset.")
        presses = self._session.presses
        self._session.teleop.release()
        await self._ask("safety/stop", Trigger.Request())
        answer = await self._ask("sim/reset_world", Trigger.Request())
        await asyncio.sleep(0.1)  # every node has heard of it by then
        return await self._release(presses) if answer.ok else answer

    async def _on_episode(self, client: Client, message: dict[str, Any]) -> Answer:
        do = message["do"]
        if do not in ("start", "save", "discard", "mark"):
            raise ValueError("do is start, save, discard or mark")
        return await self._ask(f"episode/{do}", _episode_request(do, message))

    async def _on_policy(self, client: Client, message: dict[str, Any]) -> Answer:
        return await serve_policy(self._session, message, self._ask)

    async def _ask(self, service: str, request: Any) -> Answer:
        answer = await self._session.graph.ask(service, request, _PATIENCE.get(service, 5.0))
        if answer is None:
            return Answer(False, f"No answer of {service} by {self._session.graph.whose(service)}.")
        path = {"path": answer.path} if getattr(answer, "path", "") else None
        return Answer(bool(answer.success), str(answer.message), path)


def _lets_go(message: dict[str, Any]) -> bool:
    """Return whether a request lets the robot go; such a one does not wait for what sets it in motion."""
    return message.get("on") is False or message.get("do") in ("stop", "take_over")


def _svg(url: str) -> str:
    picture = io.BytesIO()
    segno.make(url, micro=False).save(picture, kind="svg", scale=4, xmldecl=False)
    return picture.getvalue().decode()


def _episode_request(do: str, message: dict[str, Any]) -> Any:
    task, label, reason = (str(message.get(key, ""))[:_LONGEST_TEXT] for key in ("task", "label", "reason"))
    if do == "start":
        return StartEpisode.Request(task=task)
    if do == "save":
        labels = [str(entry)[:_LONGEST_TEXT] for entry in message.get("labels", [])][:20]
        return SaveEpisode.Request(task_success=bool(message["success"]), task=task, labels=labels)
    if do == "discard":
        return DiscardEpisode.Request(reason=reason or "by console")
    return MarkEpisode.Request(kind=int(MarkKind.MARK), label=label or "mark")
