# SPDX-License-Identifier: Apache-2.0
"""The whole way: a headset over the real socket moves the simulated robot, is lost, and its episode is in a bag."""

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from circling_policy import write_circling_policy
from emulated_headset import EmulatedHeadset, controller
from sensor_msgs.msg import JointState

from kata_core import load_robot
from kata_learning.bags import read_info
from kata_msgs.msg import EngageState, OperatorAction, Verdict
from kata_nodes.security import load_policies

pytestmark = [pytest.mark.ros, pytest.mark.slow]

POLICIES = Path(__file__).parents[2] / "config/security.yaml"
FOLLOWED = (Verdict.FOLLOWING, Verdict.LIMITED)


def link_of(graph, probe):
    """Return address and newest code of the console."""
    assert probe.until(lambda: "/#code=" in graph.output, 60.0), graph.output
    return re.findall(r"open (http\S+)/#code=(\w+)", graph.output)[-1]


async def move(headset, way, begin, seconds=2.0, grip=True):
    """Move the right hand along a way of WebXR's space while gripping; return where it ends."""
    frames = round(60 * seconds)
    for k in range(frames):
        place = begin + way * max(0.0, (k - 15) / (frames - 16))
        await headset.show(controller(*place, squeeze=grip))
        await asyncio.sleep(1 / 60)
    return begin + way


def palm(robot, heard):
    position = dict(zip(heard[-1][1].name, heard[-1][1].position, strict=True))
    return robot.frame_poses([position[name] for name in robot.layout.names], ("right_palm",))[0].translation


def test_a_headset_moves_the_robot_and_what_it_did_is_in_the_bag(launch, probe, tmp_path, report):
    robot = load_robot("g1")
    write_circling_policy(tmp_path / "circle.onnx", robot)
    own = (f"out:={tmp_path}/bags", f"policies:={tmp_path}", "camera_rate:=5")
    graph = launch("teleop", "source:=vr", "recorder:=true", *own)
    verdicts, joints = probe.hear(Verdict, "verdict"), probe.hear(JointState, "joint_states")
    engages, actions = probe.hear(EngageState, "engage/state"), probe.hear(OperatorAction, "operator/actions")
    assert probe.until(lambda: len(verdicts) > 20 and len(joints) > 20, 120.0), graph.output
    url, code = link_of(graph, probe)

    async def session():
        async with EmulatedHeadset(url, code) as headset:
            await headset.operate()
            await headset.until("verdict", lambda m: m["status"] == "standby", 30.0)
            assert (await headset.ask("episode", do="start", task="wave"))["ok"]
            for _ in range(5):  # a machine under load falls silent, and then rightly stops: such a try does not count
                begin = len(headset.heard["engage"])
                place, way = np.array([0.2, 1.0, -0.3]), np.array([0.0, 0.12, -0.05])
                await move(headset, np.zeros(3), place, 0.3, grip=False)
                await headset.ask("reset")
                start = palm(robot, joints)
                place = await move(headset, way, place)
                await move(headset, np.zeros(3), place, 1.0)
                followed = palm(robot, joints) - start
                # Let go and grip elsewhere: nothing moves.
                elsewhere = place + np.array([0.2, -0.2, 0.1])
                await move(headset, np.zeros(3), elsewhere, 0.5, grip=False)
                before = palm(robot, joints)
                await move(headset, np.zeros(3), elsewhere, 1.0)
                jumped = np.linalg.norm(palm(robot, joints) - before)
                if "lost" not in {message["state"] for message in headset.heard["engage"][begin:]}:
                    break
                await move(headset, np.zeros(3), place, 0.3, grip=False)
                await headset.ask("reset")
                await move(headset, -way, place)  # the next try begins where this one did
            assert headset.last("engage")["state"] == "engaged", headset.last("engage")
            last = time.monotonic()
            assert await wait_for(lambda: verdicts[-1][1].status == Verdict.STOPPED, 5.0), verdicts[-1][1].reasons
            took = next((t - last for t, m in verdicts if t > last and m.status in (Verdict.STOPPING, Verdict.STOPPED)), 0.0)
            held = max((t - last for t, m in verdicts if t > last and m.status in FOLLOWED), default=0.0)
            assert (await headset.ask("episode", do="mark", label="lost"))["ok"]
            saved = await headset.ask("episode", do="save", success=False, labels=["operator=ann"])
            await move(headset, np.zeros(3), elsewhere, 0.3, grip=False)
            reset = await headset.ask("reset")
            folder = await hand_to_a_policy(headset, verdicts)
            return folder, followed, jumped, took, held, saved, reset

    with ThreadPoolExecutor(1) as threads:  # while the probe listens here
        running = threads.submit(asyncio.run, session())
        assert probe.until(running.done, 180.0), graph.output
    folder, followed, jumped, took, held, saved, reset = running.result()
    way = f"palm moved {np.round(followed, 3)} m, {1e3 * jumped:.1f} mm by gripping anew"
    report(f"{way}; silent: followed for {1e3 * held:.0f} ms, stopping after {took:.2f} s")
    assert followed == pytest.approx([0.05, 0.0, 0.12], abs=0.03)
    assert jumped < 0.01
    assert "lost_operator" in {reason for _, m in verdicts for reason in m.reasons}
    assert saved["ok"] and reset["ok"], (saved, reset)
    assert {m.phase for _, m in engages} >= {EngageState.DISENGAGED, EngageState.ENGAGED, EngageState.LOST}
    assert {"pair", "role", "episode/start", "episode/save", "reset"} <= {m.action for _, m in actions}
    check_bag(Path(saved["path"]))
    marks = read_info(folder).messages["/episode/marks"]
    assert marks == 2, "begin and end of the intervention"
    assert "lost_console" in {reason for _, m in verdicts for reason in m.reasons}
    check_policies(probe)
    assert graph.stop() == 0, graph.output
    assert "Traceback" not in graph.output


async def hand_to_a_policy(headset, verdicts):
    """Let a policy move the robot, take over, give back, vanish; return the episode's folder."""
    assert (await headset.ask("policy", patience=60.0, do="load", file="circle.onnx"))["ok"], headset.last("policy")
    assert headset.last("policy")["contract"]["task"] == "circle"
    assert (await headset.ask("episode", do="start", task="circle"))["ok"]
    assert (await headset.ask("policy", do="start"))["ok"]
    assert await wait_for(lambda: verdicts[-1][1].status in FOLLOWED, 10.0), verdicts[-1][1].reasons
    place = np.array([0.2, 1.0, -0.3])
    await move(headset, np.zeros(3), place, 0.5)
    assert headset.last("engage")["cause"] == "policy", "no hand while the policy moves the robot"
    assert (await headset.ask("policy", do="take_over"))["ok"]
    await move(headset, np.zeros(3), place, 0.3, grip=False)
    await move(headset, np.zeros(3), place, 1.0)
    assert headset.last("engage")["state"] == "engaged", headset.last("engage")
    assert (await headset.ask("policy", do="give_back"))["ok"]
    saved = await headset.ask("episode", do="save", success=True)
    await headset.close()
    assert await wait_for(lambda: verdicts[-1][1].status == Verdict.STOPPED, 5.0), verdicts[-1][1].reasons
    return Path(saved["path"])


async def wait_for(condition, seconds):
    """Wait until a condition holds; the headset answers pings meanwhile."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        await asyncio.sleep(0.01)
    return condition()


def check_bag(folder):
    info = read_info(folder)
    assert (info.custom["task"], info.custom["task_success"], info.custom["operator"]) == ("wave", "false", "ann")
    assert all(info.messages[topic] > 0 for topic in ("/operator/actions", "/engage/state", "/frames", "/episode/marks"))


def check_policies(probe):
    """Hold config/security.yaml against what the running nodes publish, hear, serve and call."""
    for policy in load_policies(POLICIES):
        if (policy.program, "/") not in probe.node.get_node_names_and_namespaces():
            continue
        own = {f"/{policy.program}/{s}" for s in OWN_SERVICES}
        for kind, look in (
            ("publish", probe.node.get_publisher_names_and_types_by_node),
            ("subscribe", probe.node.get_subscriber_names_and_types_by_node),
            ("serve", probe.node.get_service_names_and_types_by_node),
            ("call", probe.node.get_client_names_and_types_by_node),
        ):
            allowed = {f"/{name.removeprefix('/')}" for name in getattr(policy, kind)}
            found = {name for name, _ in look(policy.program, "/")} - own - {"/rosout", "/parameter_events", "/clock"}
            assert "/*" in allowed or found <= allowed, f"{policy.program} may not {kind} {sorted(found - allowed)}"


OWN_SERVICES = (
    *("describe_parameters", "get_parameter_types", "get_parameters", "list_parameters"),
    *("set_parameters", "set_parameters_atomically", "get_type_description"),
)
