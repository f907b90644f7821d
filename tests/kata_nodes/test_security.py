# SPDX-License-Identifier: Apache-2.0
"""The SROS2 keystore: who may say what, signed, complete, and found wrong when it is."""

import datetime
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from granted import POLICIES, beyond

from kata import cli
from kata_nodes.security import check_keystore, load_policies, make_keystore

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("security") / "keys"
    make_keystore(folder, load_policies(POLICIES), 30)
    return folder


@pytest.fixture
def keystore(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "keys", symlinks=True))


def faults(folder, now=NOW):
    return check_keystore(folder, load_policies(POLICIES), now)


def may(folder, program, kind):
    grant = ET.parse(folder / f"enclaves/kata/{program}/permissions.xml").getroot().find("permissions/grant")
    return {topic.text for topic in grant.findall(f"allow_rule/{kind}/topics/topic")}


def test_a_new_keystore_is_sound(made):
    assert faults(made) == []


def test_every_program_has_a_policy_and_no_other():
    """A program under its former name takes the enclave of the present one."""
    from importlib.metadata import distribution

    programs = {e.name for e in distribution("kata_nodes").entry_points if e.group == "console_scripts"} - {"conductor"}
    assert {policy.program for policy in load_policies(POLICIES)} == programs | {"stop", "record", "play"}, "nodes, and tools"


def test_only_safety_commands_the_robot(made):
    publishers = {p.program for p in load_policies(POLICIES) if {"rt/command", "rt/*"} & may(made, p.program, "publish")}
    assert publishers == {"safety"}


def test_services_are_two_topics_in_opposite_directions(made):
    assert "rr/safety/stopReply" in may(made, "safety", "publish") and "rq/safety/stopRequest" in may(made, "safety", "subscribe")
    assert "rq/safety/stopRequest" in may(made, "console", "publish") and "rr/safety/stopReply" in may(
        made, "console", "subscribe"
    )
    assert "rq/safety/stopRequest" not in may(made, "gamepad", "publish")


@pytest.mark.parametrize("document", ["enclaves/governance", "enclaves/kata/safety/permissions"])
def test_openssl_finds_the_signatures_good_and_no_others(keystore, document):
    signed = keystore / f"{document}.p7s"
    verify = ["openssl", "smime", "-verify", "-text", "-CAfile", keystore / "public/ca.cert.pem", "-in", signed]
    good = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stderr
    assert good.stdout.replace("\r\n", "\n") == (keystore / f"{document}.xml").read_text()
    signed.write_text(signed.read_text().replace("<max>232", "<max>231", 1))
    assert subprocess.run(verify, capture_output=True, check=False).returncode != 0


def test_what_was_changed_is_found(keystore):
    folder = keystore / "enclaves/kata"
    (folder / "safety/permissions.xml").write_text((folder / "safety/permissions.xml").read_text().replace("DENY", "ALLOW"))
    (folder / "sim/key.pem").unlink()
    shutil.copy(folder / "policy/cert.pem", folder / "console/cert.pem")
    (folder / "recorder/key.pem").chmod(0o644)
    (folder / "intruder").mkdir()
    text = "\n".join(faults(keystore))
    for words in (
        "safety: what is signed",
        "safety: its permissions",
        "sim: lacks key.pem",
        "console: its key",
        "recorder/key.pem",
    ):
        assert words in text
    assert "intruder: an enclave that no policy names" in text


def test_another_authority_and_an_old_certificate_are_found(keystore, tmp_path):
    other = tmp_path / "other"
    make_keystore(other, load_policies(POLICIES), 30)
    shutil.copy(other / "public/ca.cert.pem", keystore / "public/ca.cert.pem")
    assert "safety: its certificate is not by this keystore's authority" in faults(keystore)
    assert any("certificate ends" in fault for fault in faults(other, NOW + datetime.timedelta(days=31)))


def test_command(tmp_path, capsys):
    folder = tmp_path / "keys"
    assert cli.main(["security", "make", str(folder), "--policies", str(POLICIES)]) == 0
    assert "ROS_SECURITY_STRATEGY=Enforce" in capsys.readouterr().out
    assert cli.main(["security", "check", str(folder), "--policies", str(POLICIES)]) == 0
    assert cli.main(["security", "make", str(folder), "--policies", str(POLICIES)]) == 2
    assert cli.main(["security", "check", str(tmp_path / "none"), "--policies", str(POLICIES)]) == 1


@pytest.mark.parametrize(
    "text", ["", "nodes: 3", "nodes: {safety: {publishes: [a]}}", "nodes: {safety: {publish: ['a b']}}", "{"]
)
def test_bad_policies_are_one_line(tmp_path, capsys, text):
    file = tmp_path / "security.yaml"
    file.write_text(text)
    assert cli.main(["security", "make", str(tmp_path / "keys"), "--policies", str(file)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "keys").exists()


def test_the_recorder_asks_nodes_for_their_parameters_and_nothing_else(made):
    asks = {topic.removesuffix("Request") for topic in may(made, "recorder", "publish") if topic.startswith("rq/")}
    assert asks == {"rq/*/list_parameters", "rq/*/get_parameters"}


def test_a_node_with_a_name_of_its_own_serves_under_it(made):
    assert "rr/mocap/get_parametersReply" in may(made, "mocap_source", "publish")
    assert "rr/stop_*/get_parametersReply" in may(made, "stop", "publish")


@pytest.mark.ros
def test_the_tools_of_a_terminal_join_with_an_enclave_of_their_own(ros_domain, monkeypatch):
    """`kata stop`, `kata record`, `kata retarget --play`."""
    import argparse

    import rclpy

    from kata_nodes import spin
    from kata_nodes.commands import record, retarget_play
    from kata_nodes.tools.estop import Console

    joined, init = [], rclpy.init

    def join(args=None, **options):
        joined.append(list(args))
        init(args=[], **options)

    monkeypatch.setattr(rclpy, "init", join)
    monkeypatch.setenv("ROS_SECURITY_ENABLE", "true")
    with Console(1.0) as console:
        assert beyond(console._node) == ([], {"stop"})
    keys = ["", "q"]
    monkeypatch.setattr(record, "_key", lambda _: keys.pop(0))
    record.run(argparse.Namespace(task="", label=[], mark=""))
    monkeypatch.setattr(spin, "run", lambda make: joined.append(list(sys.argv)) or 0)
    monkeypatch.setattr(sys, "argv", ["kata"])
    retarget_play.run([argparse.Namespace(trajectory=object())], argparse.Namespace(robot="toy", quiet=True))
    assert [args[-2:] for args in joined] == [["--enclave", f"/kata/{name}"] for name in ("stop", "record", "play")]


@pytest.mark.ros
def test_the_tools_do_no_more_than_is_granted(ros_domain, monkeypatch):
    import argparse

    import rclpy

    from kata_model import load_robot
    from kata_nodes.commands.record import _Keyboard
    from kata_nodes.retarget.play_node import PlayNode

    rclpy.init(args=[])
    try:
        nodes = [_Keyboard(argparse.Namespace()).node, PlayNode(load_robot("toy"), None, print)]
        assert beyond(nodes[0]) == ([], {"record", "play"})
        for node in nodes:
            node.destroy_node()
    finally:
        rclpy.shutdown()
