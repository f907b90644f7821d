# SPDX-License-Identifier: Apache-2.0
"""Spin nodes of one process in the order of the data until none has anything left to do; then time may advance.

A discrete-event executor: within a process Fast DDS hands a message to its readers before ``publish`` returns, so what
a node is told in a tick is known as soon as those before it have come to rest. Which callback runs when is therefore a
function of the messages alone, whatever else the machine does.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

from rclpy.client import Client
from rclpy.node import Node

from kata_model.errors import KataError

__all__ = ["FLOW", "LockstepError", "LockstepExecutor", "World"]

FLOW = ("sim", "mocap", "operator", "gamepad", "leader", "replay", "retarget", "policy", "safety", "recorder", "episode_runner")
"""Names of the nodes from where data come to where they go; a node that is not named here comes before ``retarget``."""

_MOST_ROUNDS = 1000
"""Rounds in one tick after which nodes answer one another for ever."""


_SURVEY = 50
"""Ticks between two looks at who hears whom; somebody new is asked once a tick until then."""


class LockstepError(KataError):
    """A node of the graph failed; `node` is its name."""

    def __init__(self, text: str, node: str) -> None:
        """Name the node."""
        super().__init__(text, where=f"node {node}")
        self.node = node


@runtime_checkable
class World(Protocol):
    """A node that lets time pass."""

    def advance(self) -> None:
        """Let one tick pass and publish what is new, the clock first."""


class LockstepExecutor:
    """Owns the turns of some nodes, one of which lets time pass.

    Args:
        nodes: All nodes of the graph that live in this process.
        world: Who lets time pass; None: the one node that can.
        turn: Receives the name of each node whose callback runs, and an empty one between callbacks, for a watch elsewhere.

    Raises:
        LockstepError: No node, or more than one, lets time pass.
    """

    def __init__(self, nodes: Iterable[Node], world: World | None = None, turn: Callable[[str], object] = str) -> None:
        """Order the nodes by the flow of data."""
        rank = {name: place for place, name in enumerate(FLOW)}
        self._nodes = sorted(nodes, key=lambda node: rank.get(node.get_name(), rank["retarget"] - 0.5))
        worlds = [node for node in self._nodes if isinstance(node, World)] if world is None else [world]
        if len(worlds) != 1:
            raise LockstepError(f"{len(worlds)} nodes let time pass", ", ".join(n.get_name() for n in self._nodes))
        self._world: Any = worlds[0]
        self._turn = turn
        self._names = {node: node.get_name() for node in self._nodes}
        self._ticks = 0
        self._readers: dict[Node, set[Node]] = {}

    @property
    def nodes(self) -> Sequence[Node]:
        """The nodes in the order of their turns."""
        return self._nodes

    def tick(self) -> None:
        """Let time advance by one tick, and every node do what follows from it.

        Raises:
            LockstepError: A callback raised, or the nodes never come to rest.
        """
        self._guarded(self._world, self._world.advance)
        self.settle()

    def settle(self) -> None:
        """Give every node a turn, then those to whom somebody has spoken since, until nobody can have heard anything new.

        Timers become due and services are asked once a tick; what follows within it comes by topics.
        """
        if self._ticks % _SURVEY == 0:
            self._readers = {node: self._who_reads(node) for node in self._nodes}
        self._ticks += 1
        waiting: set[Node] = set()
        for node in self._nodes:
            waiting.discard(node)
            if self.turn(node):
                waiting |= self._readers[node]
        for _ in range(_MOST_ROUNDS):
            if not waiting:
                return
            for node in self._nodes:
                if node in waiting:
                    waiting.discard(node)
                    if self.hear(node):
                        waiting |= self._readers[node]
        raise LockstepError(f"{_MOST_ROUNDS} rounds without rest in one tick", ", ".join(n.get_name() for n in waiting))

    def _who_reads(self, speaker: Node) -> set[Node]:
        """Return the nodes that a node's messages reach, itself perhaps among them."""
        said = {publisher.topic_name for publisher in speaker.publishers}
        return {node for node in self._nodes if any(entity.topic_name in said for entity in node.subscriptions)}

    def turn(self, node: Node) -> int:
        """Run all that is ready in a node; return the number of callbacks."""
        done = self.hear(node)
        for service in tuple(node.services):
            while (asked := service.handle.service_take_request(service.srv_type.Request))[1] is not None:
                response = self._guarded(node, service.callback, asked[0], service.srv_type.Response())
                service.send_response(response, asked[1])
                done += 1
        for client in tuple(node.clients):
            while (answer := client.handle.take_response(client.srv_type.Response))[0] is not None:
                self._resolve(node, client, *answer)
                done += 1
        for timer in tuple(node.timers):
            if timer.is_ready():
                timer.handle.call_timer()
                self._guarded(node, timer.callback)
                done += 1
        return done

    def hear(self, node: Node) -> int:
        """Take in the messages that came for a node; return their number."""
        done = 0
        for subscription in tuple(node.subscriptions):
            while (taken := subscription.handle.take_message(subscription.msg_type, subscription.raw)) is not None:
                alone = subscription._callback_type is subscription.CallbackType.MessageOnly
                self._guarded(node, subscription.callback, *(taken[:1] if alone else taken))
                done += 1
        return done

    def _resolve(self, node: Node, client: Client, header: Any, response: Any) -> None:
        try:
            future = client.get_pending_request(header.request_id.sequence_number)
        except KeyError:  # nobody waits for it any more
            return
        self._guarded(node, future.set_result, response)

    def _guarded(self, node: Node, callback: Callable[..., Any], *given: Any) -> Any:
        """Call back on behalf of a node; whatever it raises bears the node's name."""
        self._turn(self._names[node])
        try:
            return callback(*given)
        except KataError as error:
            raise LockstepError(str(error), node.get_name()) from error
        except Exception as error:
            raise LockstepError(f"{type(error).__name__}: {error}", node.get_name()) from error
        finally:
            self._turn("")
