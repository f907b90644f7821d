# SPDX-License-Identifier: Apache-2.0
"""What launch files mean to `kata launch`, and what it refuses."""

from typing import Any

import pytest

from kata_model.errors import ConfigError
from kata_nodes.launching import interpret


@pytest.fixture(autouse=True)
def node(workspace: Any) -> None:
    workspace.executable("node", "")


def commands(workspace: Any, xml: str, **given: str) -> list[tuple[str, ...]]:
    return [process.command[1:] for process in workspace.interpret(xml, **given).processes]


def refused(workspace: Any, xml: str, **given: str) -> str:
    with pytest.raises(ConfigError) as caught:
        workspace.interpret(xml, **given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_node_gets_name_parameters_and_remaps(workspace: Any) -> None:
    xml = """
    <node pkg="toys" exec="node" name="left" args="--fast 'two words'">
      <param name="rate" value="50.0"/>
      <param name="pid">
        <param name="p" value="2"/>
      </param>
      <param name="text" value="'7'"/>
      <param name="joints" value="[a, b]"/>
      <remap from="target" to="command"/>
    </node>"""
    assert commands(workspace, xml) == [
        (
            *("--fast", "two words", "--ros-args", "-r", "__node:=left"),
            *("-p", "left:rate:=50.0", "-p", "left:pid.p:=2", "-p", 'left:text:="7"'),
            *("-p", 'left:joints:=["a", "b"]', "-r", "target:=command"),
        )
    ]


def test_node_gets_namespace(workspace: Any) -> None:
    xml = '<node pkg="toys" exec="node" name="left" namespace="arms"><param name="rate" value="50.0"/></node>'
    assert commands(workspace, xml) == [("--ros-args", "-r", "__node:=left", "-r", "__ns:=/arms", "-p", "rate:=50.0")]


def test_parameter_files_come_in_order(workspace: Any) -> None:
    (workspace.root / "a.yaml").touch()
    xml = """
    <node pkg="toys" exec="node">
      <param name="x" value="1"/>
      <param from="$(find-pkg-share toys)/../../a.yaml"/>
    </node>"""
    (command,) = commands(workspace, xml)
    assert command[:3] == ("--ros-args", "-p", "x:=1")
    assert command[3] == "--params-file"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", "true"),
        ("1", "1"),
        ("1.5", "1.5"),
        ("abc", '"abc"'),
        (".nan", ".nan"),
        ("-.inf", "-.inf"),
        ("", '""'),
        ("[1, 2]", "[1, 2]"),
    ],
)
def test_parameter_values_are_yaml(workspace: Any, text: str, expected: str) -> None:
    xml = f'<node pkg="toys" exec="node"><param name="x" value="{text}"/></node>'
    assert commands(workspace, xml) == [("--ros-args", "-p", f"x:={expected}")]


def test_given_argument_beats_default(workspace: Any) -> None:
    xml = """
    <arg name="who" default="you" description="Whom to greet"/>
    <node pkg="toys" exec="node" args="$(var who)"/>"""
    assert commands(workspace, xml)[0][0] == "you"
    assert commands(workspace, xml, who="me")[0][0] == "me"


def test_substitutions_nest(workspace: Any) -> None:
    xml = """
    <set_env name="A_b" value="deep)"/>
    <let name="name" value="b"/>
    <node pkg="toys" exec="node" args="$(env A_$(var name)) $(env NOT_SET_ANYWHERE a default)"/>"""
    assert commands(workspace, xml)[0][:3] == ("deep)", "a", "default")


def test_conditions(workspace: Any) -> None:
    xml = """
    <arg name="on"/>
    <node pkg="toys" exec="node" args="if" if="$(var on)"/>
    <node pkg="toys" exec="node" args="unless" unless="$(var on)"/>
    <group if="$(var on)"><node pkg="nothing" exec="there"/></group>"""
    assert [c[0] for c in commands(workspace, xml, on="False")] == ["unless"]
    assert "no executable 'there'" in refused(workspace, xml, on="1")
    assert "allowed: true, false" in refused(workspace, xml, on="maybe")


def test_group_keeps_changes_to_itself(workspace: Any) -> None:
    xml = """
    <let name="x" value="out"/>
    <group>
      <let name="x" value="in"/>
      <set_env name="X" value="in"/>
      <node pkg="toys" exec="node" args="$(var x) $(env X out)"/>
    </group>
    <node pkg="toys" exec="node" args="$(var x) $(env X out)"/>"""
    assert [c[:2] for c in commands(workspace, xml)] == [("in", "in"), ("out", "out")]


def test_include_passes_arguments_and_declares_its_own(workspace: Any) -> None:
    inner = '<arg name="x" default="1"/><arg name="y" default="2"/><node pkg="toys" exec="node" args="$(var x) $(var y)"/>'
    workspace.launch_file(inner, "inner.launch.xml")
    xml = """
    <include file="$(find-pkg-share toys)/launch/inner.launch.xml">
      <arg name="x" value="given"/>
    </include>"""
    assert commands(workspace, xml)[0][:2] == ("given", "2")
    assert commands(workspace, xml, y="outside")[0][:2] == ("given", "outside")


def test_environment_reaches_the_process(workspace: Any) -> None:
    xml = '<set_env name="KATA_TOY" value="7"/><node pkg="toys" exec="node"/>'
    assert workspace.interpret(xml).processes[0].environment["KATA_TOY"] == "7"


def test_names_are_unique(workspace: Any) -> None:
    xml = '<node pkg="toys" exec="node"/>' * 3
    assert [p.name for p in workspace.interpret(xml).processes] == ["node", "node#2", "node#3"]


def test_only_arguments_needs_no_values(workspace: Any) -> None:
    file = workspace.launch_file('<arg name="must" description="d"/><node pkg="no" exec="no" args="$(var must)"/>')
    launch = interpret(file, {}, workspace.environment, only_arguments=True)
    assert launch.arguments["must"].default is None
    assert not launch.processes


def test_only_arguments_follows_includes_as_far_as_it_can(workspace: Any) -> None:
    workspace.launch_file('<arg name="x" default="1"/>', "a.launch.xml")
    file = workspace.launch_file(
        """
        <arg name="which"/>
        <include file="$(find-pkg-share toys)/launch/$(var which).launch.xml"/>
        """
    )
    assert set(interpret(file, {}, workspace.environment, only_arguments=True).arguments) == {"which"}
    assert set(interpret(file, {"which": "a"}, workspace.environment, only_arguments=True).arguments) == {"which", "x"}


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        ('<timer period="1"/>', "<timer> is not supported"),
        ('<push_ros_namespace namespace="a"/>', "<push_ros_namespace> is not supported"),
        ('<node pkg="toys" exec="node" launch-prefix="gdb"/>', "launch-prefix="),
        ('<node pkg="toys" exec="node"><env name="A" value="1"/></node>', "<env> in <node>"),
        ('<node pkg="toys"/>', "lacks exec="),
        ('<node pkg="toys" exec="other"/>', "it has: node"),
        ('<node pkg="toys" exec="node" on_exit="respawn"/>', "allowed: shutdown"),
        ('<node pkg="toys" exec="node" respawn_delay="nan"/>', "respawn_delay='nan'"),
        ('<node pkg="toys" exec="node"><param name="x" value="{a: 1}"/></node>', "parameter x"),
        ('<node pkg="toys" exec="node"><param name="x" value="[1, a]"/></node>', "parameter x"),
        ('<node pkg="toys" exec="node"><param from="/no/such.yaml"/></node>', "no file /no/such.yaml"),
        ('<node pkg="toys" exec="node" args="$(var nothing)"/>', "unknown variable 'nothing'"),
        ('<node pkg="toys" exec="node" args="$(eval 1+1)"/>', "$(eval 1+1) is not supported"),
        ('<node pkg="toys" exec="node" args="$(env NOT_SET_ANYWHERE)"/>', "NOT_SET_ANYWHERE is not set"),
        ('<node pkg="toys" exec="node" args="$(var a"/>', "unclosed"),
        ('<include file="$(find-pkg-share nothing)/x.xml"/>', "no ROS package 'nothing'"),
        ('<include file="/no/such.launch.xml"/>', "no file"),
        ('<executable cmd=""/>', "cmd= is empty"),
        ("words", "text 'words'"),
    ],
)
def test_refuses_with_file_and_line(workspace: Any, xml: str, words: str) -> None:
    message = refused(workspace, "\n\n" + xml)
    assert words in message
    assert "test.launch.xml:4: " in message


def test_refuses_unknown_and_missing_arguments(workspace: Any) -> None:
    xml = '<arg name="clip" description="A BVH file"/><node pkg="toys" exec="node"/>'
    assert "unknown argument 'clop'" in refused(workspace, xml, clop="x", clip="y")
    assert "known: clip" in refused(workspace, xml, clop="x", clip="y")
    assert "unknown so far: clop" in refused(workspace, xml, clop="x")
    assert "A BVH file" in refused(workspace, xml)


def test_refuses_arguments_that_an_included_file_does_not_have(workspace: Any) -> None:
    workspace.launch_file('<arg name="x" default="1"/>', "inner.launch.xml")
    file = '<include file="$(find-pkg-share toys)/launch/inner.launch.xml"><arg name="z" value="1"/></include>'
    assert "no argument 'z' (known: x)" in refused(workspace, file)


def test_refuses_a_file_that_includes_itself(workspace: Any) -> None:
    assert "without end" in refused(workspace, '<include file="$(find-pkg-share toys)/launch/test.launch.xml"/>')


def test_refuses_what_is_not_xml(workspace: Any) -> None:
    file = workspace.launch_file("<group>")
    with pytest.raises(ConfigError, match=r"test\.launch\.xml:3: not XML: mismatched tag"):
        interpret(file, {}, workspace.environment)
