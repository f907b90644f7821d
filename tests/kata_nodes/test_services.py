# SPDX-License-Identifier: Apache-2.0
"""Services that lose answers: asked again, done once, forgotten when nobody waits any more."""

import asyncio
from unittest.mock import Mock

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

from kata_model.errors import KataError
from kata_msgs.srv import StartEpisode
from kata_nodes import services
from kata_nodes.policy.policy_node import PolicyNode
from kata_nodes.script_steps import ScriptSteps
from kata_nodes.services import Services, once
from kata_nodes.sources.mocap_source_node import MocapSourceNode
from kata_nodes.sources.operator_node import OperatorNode
from kata_policy.running.runner import Phase

pytestmark = pytest.mark.ros


class Graph:
    """A node that asks, and one whose answers are lost as often as a test says; the asker's clock runs ahead at each look."""

    def __init__(self, lost):
        rclpy.init(args=[])
        self.asker, self.server = Node("asker"), Node("deaf")
        self.lost, self.done = lost, []
        self.service = self.server.create_service(Trigger, "deaf/work", lambda request, response: response)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.asker)

    def serve(self):
        """Do what was asked; the first answers are lost, as if the server's writer had not found their reader yet."""
        request, header = self.service.handle.service_take_request(Trigger.Request)
        if header is None:
            return
        self.done.append(request)
        if len(self.done) > self.lost:
            self.service.send_response(Trigger.Response(success=True, message=str(len(self.done))), header)

    def play(self, script):
        """Play a script to its end; return what it returns."""
        while True:
            try:
                next(script)
            except StopIteration as end:
                return end.value
            self.turn()

    def turn(self):
        self.serve()
        self._executor.spin_once(timeout_sec=0.001)

    def close(self):
        self.asker.destroy_node()
        self.server.destroy_node()
        rclpy.shutdown()


@pytest.fixture
def graph(ros_domain, monkeypatch):
    monkeypatch.setattr(services, "AGAIN", 0.05)
    made = []

    def make(lost):
        made.append(Graph(lost))
        return made[0]

    yield make
    for graph in made:
        graph.close()


def test_an_answer_that_is_lost_is_asked_for_again(graph):
    live = graph(lost=2)
    answer = live.play(ScriptSteps(live.asker, 20.0, {"deaf/work": Trigger}).call("deaf/work", Trigger.Request()))
    assert answer.success and len(live.done) >= 3


def test_whoever_does_not_answer_is_named(graph):
    live = graph(lost=1_000_000)
    steps = ScriptSteps(live.asker, 0.5, {"deaf/work": Trigger, "nobody/works": Trigger})
    with pytest.raises(KataError, match=r"waited 0\.5 s for an answer of deaf/work by node deaf"):
        live.play(steps.call("deaf/work", Trigger.Request()))
    with pytest.raises(KataError, match="for an answer of nobody/works by a node that offers it: there is none"):
        live.play(steps.call("nobody/works", Trigger.Request()))


def test_hundreds_of_calls_leave_nothing_behind(graph):
    """One client a service, made once, and no request that is remembered: a session of any length fits."""
    live = graph(lost=0)
    steps = ScriptSteps(live.asker, 20.0, {"deaf/work": Trigger})
    for number in range(300):
        live.lost = len(live.done) + (number % 50 == 0)
        live.play(steps.call("deaf/work", Trigger.Request()))
    assert len(list(live.asker.clients)) == 1
    assert not next(iter(live.asker.clients))._pending_requests


def test_a_question_that_ends_is_forgotten(graph):
    live = graph(lost=1_000_000)
    question = Services(live.asker, {"deaf/work": Trigger}).ask("deaf/work", Trigger.Request())
    while not live.done:
        question.look()
        live.turn()
    question.end()
    assert not next(iter(live.asker.clients))._pending_requests


def test_the_console_asks_again(graph):
    """The same from the server's thread of the console, where an answer is awaited."""
    from kata_nodes.console.graph import Graph as ConsoleGraph

    live = graph(lost=1)
    console = ConsoleGraph.__new__(ConsoleGraph)
    console._services = Services(live.asker, {"deaf/work": Trigger})

    async def ask():
        while not console.offers("deaf/work"):
            live.turn()
        asked = asyncio.create_task(console.ask("deaf/work", Trigger.Request(), 20.0))
        while not asked.done():
            live.turn()
            await asyncio.sleep(0.0)
        return await asked

    assert asyncio.run(ask()).message == "2"


def test_a_repeat_is_answered_and_not_done_again():
    done = []

    def start(request, response):
        done.append(request.task)
        response.success, response.message = True, str(len(done))
        return response

    answer = once(start)
    said = [answer(StartEpisode.Request(id=k, task="wave"), StartEpisode.Response()).message for k in (7, 7, 8, 7, 0, 0)]
    assert said == ["1", "1", "2", "1", "3", "4"], "0 is no repeat"
    for k in range(100, 200):
        answer(StartEpisode.Request(id=k), StartEpisode.Response())
    assert answer(StartEpisode.Request(id=7), StartEpisode.Response()).message == "105", "old ones are forgotten"


def test_requests_are_numbered_apart(graph):
    live = graph(lost=0)
    asked = Services(live.asker, {"episode/start": StartEpisode})
    first, second = StartEpisode.Request(), StartEpisode.Request()
    asked.ask("episode/start", first)
    asked.ask("episode/start", second)
    assert first.id and second.id and first.id != second.id


@pytest.mark.parametrize("node", [OperatorNode, MocapSourceNode, PolicyNode])
def test_engaging_twice_is_as_once(node):
    """A repeat of engage must not begin the movement anew: each source's own callback, with stand-ins for what it moves."""
    moves = []
    begin = Mock(side_effect=lambda *_: moves.append("begins") or "")
    source = Mock(_engaged=False, _begin=begin)
    source._clip.duration = 1.0
    source._person = Mock(engaged=False, engage=begin, missing=lambda *_: "")
    source._runner = Mock(phase=Phase.IDLE, engage=begin)

    def engage():
        answer = node._on_engage(source, SetBool.Request(data=True), SetBool.Response())
        source._engaged = source._person.engaged = True
        source._runner.phase = Phase.ACTING
        return answer.success

    assert engage() and engage()
    assert moves == ["begins"]


def test_a_question_that_contradicts_ends_the_repeats_of_the_one_before(graph):
    """Engage, asked and not answered, must not be repeated behind a disengage."""
    live = graph(lost=1_000_000)
    asked = Services(live.asker, {"deaf/work": Trigger})
    first = asked.ask("deaf/work", Trigger.Request())
    while not live.done:
        first.look()
        live.turn()
    asked.ask("deaf/work", Trigger.Request())
    before = len(live.done)
    for _ in range(40):
        first.look()
        live.turn()
    assert len(live.done) == before
