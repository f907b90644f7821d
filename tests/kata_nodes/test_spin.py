# SPDX-License-Identifier: Apache-2.0
"""A node ends as asked: by Ctrl-C, by SIGTERM, by itself, by a user's mistake in one line."""

import signal
import subprocess
import sys
import time

import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow]

NODE = """
import gc
import sys
import time
from kata_core.errors import ConfigError
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


def test_a_signal_during_the_imports_ends_it_without_a_traceback(tmp_path, ros_domain):
    program = tmp_path / "retarget"
    program.write_text("import sys\nprint('begins', flush=True)\nfrom kata_nodes.entry import main\nsys.exit(main())\n")
    process = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begins\n"
    time.sleep(0.4)  # in the midst of numpy, numba, Pinocchio and rclpy, or just after them
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20)[1] == ""
    assert process.returncode in (0, -signal.SIGINT)
