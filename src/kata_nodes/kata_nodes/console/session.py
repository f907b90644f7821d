# SPDX-License-Identifier: Apache-2.0
"""The session that all connections share: clients, control lease, pairing, who drives, what safety says."""

import asyncio
from collections.abc import Coroutine
from time import monotonic_ns
from typing import Any

from kata_model import JointState, Status
from kata_msgs.srv import SaveEpisode, StartEpisode
from kata_nodes.console.config import ConsoleConfig
from kata_nodes.console.graph import Graph
from kata_nodes.console.policy_host import PolicyHost
from kata_nodes.console.serving.client import Client
from kata_teleop.console import Allowance, ControlLease, Flag, GamepadFrame, HeadsetFrame, Pairing
from kata_teleop.engage import Cause, EngageConfig, GamepadConfig, Heartbeat, Phase, TeleopOutput, TeleopSession

__all__ = ["Session"]


class Session:
    """The state of the console; used from the server's thread alone."""

    def __init__(
        self, graph: Graph, config: ConsoleConfig, engage: EngageConfig, pad: GamepadConfig, policies: PolicyHost
    ) -> None:
        """Start without clients."""
        self.graph, self.config, self.engage, self.pad, self.policies = graph, config, engage, pad, policies
        self.pairing = Pairing(config.code_life, config.token_life)
        self.lease = ControlLease(config.seat_grace)
        self.clients: dict[int, Client] = {}
        self.teleop = TeleopSession("vr", graph.robot, engage, pad)
        self.drives = config.source == "vr"
        self.pressed = False
        """Whether the console's emergency stop is pressed."""
        self.policy_state = "none"
        self.policy_text = ""
        self._operator_beat, self._console_beat = Heartbeat(engage.lost_time), Heartbeat(engage.lost_time)
        self._unwatched_since: int | None = None
        self._driving = ""  # by what: headset or gamepad
        self._watching = self._ever_engaged = False  # a watchdog that was never fed sleeps
        self._last_stamp = 0
        self.presses = 0
        """How often it was pressed."""
        self._told_presses = Allowance(2.0, 20.0)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def operator(self) -> Client | None:
        """The operator, if connected."""
        return self.clients.get(self.lease.holder) if self.lease.holder is not None and self.lease.present else None

    def state(self) -> JointState | None:
        """Return the robot's joints; None before they were heard, or if they are another robot's."""
        message = self.graph.states.read()
        return self.graph.joints.state_from(message).value if message else None

    @property
    def status(self) -> Status | None:
        """What safety said last; None while it is silent."""
        message = self.graph.verdicts.read()
        return Status(message.status) if message is not None and message.status in list(Status) else None

    @property
    def stopped(self) -> bool:
        """Whether safety has stopped the robot, or is stopping it."""
        return self.status in (Status.STOPPED, Status.STOPPING)

    def tell_all(self, kind: str, **fields: Any) -> None:
        """Send a JSON message to every client."""
        for client in self.clients.values():
            client.tell(kind, **fields)

    def tell_lease(self) -> None:
        """Tell everyone who operates."""
        people = [{"client": c.number, "name": c.name, "kind": c.kind} for c in self.clients.values()]
        for client in self.clients.values():
            you = "operator" if client.number == self.lease.holder else "viewer"
            client.tell("seat", operator=self.lease.holder, you=you, clients=people)

    def join(self, client: Client) -> None:
        """Welcome a client."""
        self.clients[client.number] = client
        self.lease.appear(client.number)
        self.tell_lease()

    def part(self, client: Client, now: int) -> None:
        """Note that a client's connection is gone."""
        if self.clients.get(client.number) is not client:
            return  # replaced by its own newer connection
        del self.clients[client.number]
        if self.lease.holder == client.number:
            self.lease.vanish(client.number, now)
            self.publish(self.teleop.idle(now, fault=Cause.SOCKET))
            self._driving = ""
        self.tell_lease()

    def vacate(self) -> None:
        """End what the last operator did, as the lease is another's or nobody's now."""
        self.teleop.release()
        self._driving = ""
        self.tell_lease()

    def refusal(self) -> str:
        """Return why nobody may engage by hand now, or an empty string."""
        if self.stopped or self.pressed:
            return Cause.STOPPED
        return Cause.POLICY if self.policy_state == "running" else ""

    def headset(self, client: Client, frame: HeadsetFrame, age: float, now: int) -> None:
        """Let the operator's headset drive."""
        stamp = self._stamp(age)
        fault = "" if client.visible and _worn(frame) else Cause.HIDDEN
        self._driving = "headset"
        sample = client.reader.read(frame, stamp)
        self.publish(self.teleop.headset(sample, self.state(), now, fault=fault, refusal=self.refusal()))

    def gamepad(self, client: Client, frame: GamepadFrame, age: float, now: int) -> None:
        """Pass the operator's gamepad on, and let it drive if the console is the source."""
        stamp = self._stamp(age)
        self.graph.publish_joy(frame.axes, frame.buttons, stamp)
        if self.drives:
            self._driving = "gamepad"
            state = self.graph.commanded.state()
            output = self.teleop.gamepad(frame.axes, frame.buttons, stamp, state, now, refusal=self.refusal())
            self.publish(output)
            if output.episode:
                self.begin(self._begin_or_save(client))

    def begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start what takes time; a fault of it is said in the log."""
        self._tasks.add(task := asyncio.create_task(work))
        task.add_done_callback(self._end)
        return task

    async def end(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.graph.complain(f"a request failed: {error!r}")

    async def _begin_or_save(self, client: Client) -> None:
        """Begin an episode by the gamepad's button, or save the one that runs as a success."""
        runs = self.graph.episode is not None and self.graph.episode.state
        do = "save" if runs else "start"
        request = SaveEpisode.Request(task_success=True) if runs else StartEpisode.Request()
        answer = await self.graph.ask(f"episode/{do}", request, 30.0)
        reason = "" if answer is not None and answer.success else "no recorder answers" if answer is None else answer.message
        self.graph.log(client.number, client.name, f"episode/{do}", {"by": "gamepad"}, reason)
        client.tell("notice", level="warning" if reason else "info", text=reason or ("Saved." if runs else "Recording."))

    def press(self, client: int, name: str) -> None:
        """Press the emergency stop; a press that is repeated is logged now and then."""
        news, self.pressed = not self.pressed, True
        self.presses += 1
        self.graph.press(True)
        if self._told_presses.take(monotonic_ns()) or news:
            self.graph.log(client, name, "estop", {})

    def look(self, now: int) -> None:
        """Notice what does not come any more."""
        operator = self.operator
        if self.drives and operator is not None and self._driving:
            link = operator.links[self._driving]
            fault = link.fault(now) or ("" if operator.visible else Cause.HIDDEN)
            if fault or self.refusal():
                self.publish(self.teleop.idle(now, fault=fault, refusal=self.refusal()))
                self._driving = "" if fault else self._driving
        if self.lease.expire(now):
            self.vacate()
            self.graph.log(0, "", "seat_expired", {})

    def beat(self, now: int) -> None:
        """Publish the heartbeats that are due, unless somebody is gone who must be there."""
        lost = self.teleop.lost_since
        self._ever_engaged = self._ever_engaged or self.teleop.phase is Phase.ENGAGED
        if self._operator_beat.beats(lost, self.stopped, now) and self._ever_engaged:
            self.graph.beat("operator")
        operator = self.operator
        watched = operator is not None and operator.visible and now - operator.heard < 500_000_000
        if watched or self.policy_state != "running":
            self._unwatched_since = None
        elif self._unwatched_since is None:
            self._unwatched_since = now
        self._watching = self._watching or operator is not None
        if self._console_beat.beats(self._unwatched_since, self.stopped, now) and self._watching:
            self.graph.beat("console")

    def publish(self, output: TeleopOutput) -> None:
        """Publish what the teleop session gave."""
        if self.drives:
            self.graph.publish(output)

    @property
    def phase(self) -> Phase:
        """Where the engage contract of the robot's source stands."""
        if self.drives:
            return self.teleop.phase
        message = self.graph.engages.read()
        return Phase(message.phase) if message is not None and message.phase in list(Phase) else Phase.DISENGAGED

    def _stamp(self, age: float) -> int:
        """Return a sample's time by the robot's clock [ns], later than the one before."""
        self._last_stamp = max(self.graph.now() - round(max(age, 0.0) * 1e9), self._last_stamp + 1)
        return self._last_stamp


def _worn(frame: HeadsetFrame) -> bool:
    return Flag.VISIBLE in frame.flags and Flag.SESSION in frame.flags
