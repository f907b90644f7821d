# SPDX-License-Identifier: Apache-2.0
"""A node ends as asked: by Ctrl-C, by SIGTERM, by itself, by a user's mistake in one line."""

import os
import signal
import subprocess
import sys

import pytest

from kata_nodes.launching.interpreter import Process
from kata_nodes.launching.process_group import ProcessGroup

pytestmark = [pytest.mark.ros, pytest.mark.slow]

NODE = """
import gc
import sys
import time
from kata_model.errors import ConfigError
from kata_nodes.spin import run
from rclpy.node import Node

class Probe(Node):
    exit_code = None
    def __init__(self):
        super().__init__("probe")
        if "{mode}" == "mistake":
            raise ConfigError("speed is 9", where="node probe", fix="allowed: 0 to 2")
        if "{mode}" == "slow":
            print("making", flush=True)
            import time
            time.sleep(60)
        self.create_timer(0.05, self.tick)
    def tick(self):
        print("tick", flush=True)
        if "{mode}" == "finish":
            self.exit_code = 7 if gc.get_freeze_count() else 1
    def destroy_node(self):
        print("cleaned up", flush=True)
        super().destroy_node()

sys.exit(run(Probe))
"""


def start(mode, ros_domain):
    command = [sys.executable, "-c", NODE.replace("{mode}", mode)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number, ros_domain):
    process = start("run", ros_domain)
    assert process.stdout.readline() == "tick\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert out.endswith("cleaned up\n")
    assert err == ""


def test_a_signal_ends_a_node_that_is_still_being_made(ros_domain):
    process = start("slow", ros_domain)
    assert process.stdout.readline() == "making\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20)[1] == ""
    assert process.returncode == 0


def test_a_node_may_end_by_itself(ros_domain):
    process = start("finish", ros_domain)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 7, err
    assert out.endswith("cleaned up\n")


def test_a_mistake_is_one_line(ros_domain):
    process = start("mistake", ros_domain)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert err == "error: node probe: speed is 9 (allowed: 0 to 2)\n"


@pytest.mark.parametrize("moment", ["begins", "imports"])
def test_a_signal_before_the_node_is_made_ends_it_without_a_traceback(tmp_path, ros_domain, moment):
    (tmp_path / "kata_nodes").mkdir()
    program = tmp_path / "kata_nodes" / "retarget"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nprint('begins', flush=True)\nfrom kata_nodes.entry import main\n"
        "print('imports', flush=True)\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    group = ProcessGroup(Process("retarget", (str(program),), os.environ, "here"))
    said = []
    while moment not in said:
        said += group.read() or []
    group.send(signal.SIGINT)
    assert group.collect() in (0, -signal.SIGINT)
    while (lines := group.read()) is not None:
        said += lines
    assert set(said) <= {"begins", "imports"}
