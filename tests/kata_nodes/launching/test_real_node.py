# SPDX-License-Identifier: Apache-2.0
"""A real node understands the arguments that `kata launch` gives it."""

import os
import subprocess
import sys
from typing import Any

import pytest

NODE = """
import rclpy
rclpy.init()
node = rclpy.create_node("unnamed", automatically_declare_parameters_from_overrides=True)
print(node.get_fully_qualified_name(), node.resolve_topic_name("target"))
for name in ("whole", "fraction", "text", "list", "inner.truth", "file"):
    print(name, repr(node.get_parameter(name).value))
node.destroy_node()
rclpy.shutdown()
"""


@pytest.mark.ros
@pytest.mark.parametrize("namespace", ["", "arms"])
def test_node_gets_what_the_launch_file_says(workspace: Any, ros_domain: int, namespace: str) -> None:
    workspace.executable("node", NODE)
    program = workspace.root / "lib/toys/node"
    program.write_text(f"#!{sys.executable}\n" + NODE)
    (workspace.root / "parameters.yaml").write_text(
        "/**:\n  ros__parameters:\n    whole: 1\n    file: yes\n/left:\n  ros__parameters:\n    whole: 2\n"
    )
    file = workspace.launch_file(
        f"""
        <node pkg="toys" exec="node" name="left" namespace="{namespace}">
          <param from="{workspace.root}/parameters.yaml"/>
          <param name="whole" value="3"/>
          <param name="fraction" value="1e-05"/>
          <param name="fraction" value="0.00001"/>
          <param name="text" value="it's &quot;c&quot;"/>
          <param name="list" value="[1.0, 2.5]"/>
          <param name="inner"><param name="truth" value="true"/></param>
          <remap from="target" to="command"/>
        </node>"""
    )
    environment = {**os.environ, "AMENT_PREFIX_PATH": f"{workspace.root}:{os.environ['AMENT_PREFIX_PATH']}"}
    command = [sys.executable, "-m", "kata", "launch", str(file)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    said = [
        line.removeprefix("[left] ") for line in ended.stdout.splitlines() if line.startswith("[left] ") and "[WARN]" not in line
    ]
    slash = f"/{namespace}" if namespace else ""
    assert said == [
        f"{slash}/left {slash}/command",
        *("whole 3", "fraction 1e-05", "text 'it\\'s \"c\"'", "list [1.0, 2.5]", "inner.truth True", "file True"),
    ]
