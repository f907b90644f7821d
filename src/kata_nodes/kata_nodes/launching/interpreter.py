# SPDX-License-Identifier: Apache-2.0
"""Turn a launch file and arguments into the processes that it asks for.

Scoping follows `ros2 launch`: an included file shares the variables of the one that includes it; only <group> keeps
changes to itself.
"""

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kata_model.errors import ConfigError
from kata_nodes.launching.element import Element, read_launch_file
from kata_nodes.launching.ros_arguments import ros_arguments
from kata_nodes.launching.scope import Scope
from kata_nodes.launching.substitution import prefixes

__all__ = ["Argument", "Launch", "Process", "interpret"]

_MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Argument:
    """A declared argument: its name, default (None if it must be given) and meaning."""

    name: str
    default: str | None
    description: str


@dataclass(frozen=True, slots=True)
class Process:
    """A node or another executable.

    Attributes:
        name: Shown before each line of its output; unique in a launch.
        command: Program and arguments.
        environment: Its whole environment.
        where: File and line that asked for it.
        respawn: Whether it is started again when it ends.
        respawn_delay: Time before that [s].
        ends_launch: Whether its end ends all others.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    where: str
    respawn: bool = False
    respawn_delay: float = 0.0
    ends_launch: bool = False


@dataclass(frozen=True, slots=True)
class Launch:
    """What a launch file comes to.

    Attributes:
        arguments: Arguments declared in it and in the files it includes, by name.
        processes: Processes to start, in order.
    """

    arguments: dict[str, Argument] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)


def interpret(file: Path, given: Mapping[str, str], environment: Mapping[str, str], *, only_arguments: bool = False) -> Launch:
    """Interpret a launch file.

    Args:
        file: The launch file.
        given: Values of arguments by name.
        environment: Environment variables to start from.
        only_arguments: Collect arguments, which may lack values, of this file and of those it includes as far as
            their names can be told; ignore conditions and make no processes.

    Raises:
        ConfigError: Something in the file is wrong or unsupported, or an argument is unknown or missing.
    """
    reader = _Reader(given, only_arguments=only_arguments)
    reader.run(read_launch_file(file).children, Scope(dict(given), {**environment}))
    unknown = sorted(set(given) - set(reader.launch.arguments))
    if unknown and not only_arguments:
        raise ConfigError(f"unknown argument {unknown[0]!r}", where=str(file), fix=reader.known())
    return reader.launch


class _Reader:
    """Walks through elements in order, as some change what later ones see."""

    def __init__(self, given: Mapping[str, str], *, only_arguments: bool) -> None:
        self.given, self.only_arguments = given, only_arguments
        self.launch = Launch()
        self.depth = 0
        self.actions: dict[str, Callable[[Element, Scope], None]] = {
            "arg": self._arg,
            "let": self._let,
            "set_env": self._set_env,
            "append_env": self._append_env,
            "group": self._group,
            "include": self._include,
            "node": self._node,
            "executable": self._executable,
        }

    def known(self) -> str:
        return f"known: {', '.join(sorted(self.launch.arguments)) or 'none'}"

    def run(self, elements: list[Element], scope: Scope) -> None:
        for element in elements:
            action = self.actions.get(element.tag)
            if action is None:
                raise element.fault(
                    f"<{element.tag}> is not supported by kata launch",
                    f"supported: {', '.join(self.actions)}; ros2 launch knows all",
                )
            if element.tag in ("arg", "group", "include") if self.only_arguments else scope.active(element):
                action(element, scope)

    def _arg(self, element: Element, scope: Scope) -> None:
        scope.check(element, {"name", "default", "description"})
        name = element.attributes.get("name") or scope.text(element, "name")
        argument = Argument(name, element.attributes.get("default"), element.attributes.get("description", ""))
        self.launch.arguments.setdefault(name, argument)
        if name in scope.variables or (self.only_arguments and argument.default is None):
            return
        if argument.default is None:
            unknown = sorted(set(self.given) - set(self.launch.arguments))
            hint = f"; unknown so far: {', '.join(unknown)}" if unknown else ""
            raise element.fault(f"argument {name!r} has no value{hint}", f"add {name}:=VALUE; {argument.description}")
        scope.variables[name] = scope.text(element, "default")

    def _let(self, element: Element, scope: Scope) -> None:
        scope.check(element, {"name", "value"})
        scope.variables[scope.text(element, "name")] = scope.text(element, "value")

    def _set_env(self, element: Element, scope: Scope) -> None:
        scope.check(element, {"name", "value"})
        scope.environment[scope.text(element, "name")] = scope.text(element, "value")

    def _append_env(self, element: Element, scope: Scope) -> None:
        scope.check(element, {"name", "value"})
        name, value = scope.text(element, "name"), scope.text(element, "value")
        before = scope.environment.get(name)
        scope.environment[name] = value if before is None else f"{before}{os.pathsep}{value}"

    def _group(self, element: Element, scope: Scope) -> None:
        scope.check(element, {"scoped"})
        scoped = self.only_arguments or scope.truth(element, "scoped", "true")
        self.run(element.children, scope.inner() if scoped else scope)

    def _include(self, element: Element, scope: Scope) -> None:
        scope.check(element, {"file"})
        if self.depth >= _MAX_DEPTH:
            raise element.fault("files include each other without end")
        try:
            file = scope.path(element, "file")
            scope.variables.update(self._passed(element, file, scope))
        except ConfigError:
            if self.only_arguments:
                return
            raise
        self.depth += 1
        self.run(read_launch_file(file).children, scope)
        self.depth -= 1

    def _passed(self, include: Element, file: Path, scope: Scope) -> dict[str, str]:
        """Return the arguments that an <include> passes, all of which the file must declare."""
        passed = {}
        for child in include.children:
            if child.tag != "arg":
                raise child.fault(f"<{child.tag}> in <include> is not supported by kata launch", "supported: arg")
            scope.check(child, {"name", "value"})
            if scope.active(child):
                passed[scope.text(child, "name")] = scope.text(child, "value")
        if passed:
            declared = interpret(file, passed, scope.environment, only_arguments=True).arguments
            for name in sorted(set(passed) - set(declared)):
                raise include.fault(f"{file.name} has no argument {name!r}", f"known: {', '.join(sorted(declared)) or 'none'}")
        return passed

    def _node(self, element: Element, scope: Scope) -> None:
        scope.check(element, {"pkg", "exec", "name", "namespace", "args", "output", *_PROCESS})
        package, executable = scope.text(element, "pkg"), scope.text(element, "exec")
        program = _find_executable(element, package, executable, scope)
        arguments = shlex.split(scope.text(element, "args", ""))
        command = (str(program), *arguments, "--ros-args", *ros_arguments(element, scope))
        self._add(element, scope, scope.text(element, "name", "") or executable, command)

    def _executable(self, element: Element, scope: Scope) -> None:
        scope.check(element, {"cmd", "name", "output", *_PROCESS})
        if element.children:
            raise element.children[0].fault(f"<{element.children[0].tag}> in <executable> is not supported by kata launch")
        command = tuple(shlex.split(scope.text(element, "cmd")))
        if not command:
            raise element.fault("cmd= is empty")
        self._add(element, scope, scope.text(element, "name", "") or Path(command[0]).name, command)

    def _add(self, element: Element, scope: Scope, name: str, command: tuple[str, ...]) -> None:
        on_exit = scope.text(element, "on_exit", "")
        if on_exit not in ("", "shutdown"):
            raise element.fault(f"on_exit={on_exit!r}", "allowed: shutdown")
        process = Process(
            name=name,
            command=command,
            environment=dict(scope.environment),
            where=element.where,
            respawn=scope.truth(element, "respawn"),
            respawn_delay=scope.seconds(element, "respawn_delay"),
            ends_launch=on_exit == "shutdown",
        )
        taken = sum(1 for other in self.launch.processes if other.name.split("#")[0] == name)
        self.launch.processes.append(replace(process, name=f"{name}#{taken + 1}") if taken else process)


_PROCESS = {"respawn", "respawn_delay", "on_exit"}


def _find_executable(element: Element, package: str, executable: str, scope: Scope) -> Path:
    folders = [prefix / "lib" / package for prefix in prefixes(scope.environment)]
    for folder in folders:
        if (folder / executable).is_file():
            return folder / executable
    there = sorted({file.name for folder in folders if folder.is_dir() for file in folder.iterdir() if file.is_file()})
    fix = f"it has: {', '.join(there)}" if there else "build it (make setup), then source the workspace (. scripts/env.sh)"
    raise element.fault(f"package {package!r} has no executable {executable!r}", fix)
