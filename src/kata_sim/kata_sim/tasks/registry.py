# SPDX-License-Identifier: Apache-2.0
"""The tasks there are, by name, and which of them a robot can do."""

from collections.abc import Callable, Mapping

from kata_model.errors import ConfigError
from kata_sim.tasks.lift import LiftTask
from kata_sim.tasks.push import PushTask
from kata_sim.tasks.reach import ReachTask
from kata_sim.tasks.specs import TaskSpecs
from kata_sim.tasks.task import Task

__all__ = ["TASKS", "make_task", "tasks_of"]


def _reach(specs: TaskSpecs) -> Task | None:
    return ReachTask(specs.reach) if specs.reach else None


def _lift(specs: TaskSpecs) -> Task | None:
    return LiftTask(specs.lift, specs.table, specs.pads) if specs.lift and specs.table else None


def _push(specs: TaskSpecs) -> Task | None:
    return PushTask(specs.push, specs.table, specs.pads) if specs.push and specs.table else None


TASKS: Mapping[str, Callable[[TaskSpecs], Task | None]] = {"reach": _reach, "lift": _lift, "push": _push}
"""By name, what makes the task for a robot; None where the robot's data do not name it."""


def tasks_of(specs: TaskSpecs) -> tuple[str, ...]:
    """Return the names of the tasks that a robot can do."""
    return tuple(name for name, make in TASKS.items() if make(specs) is not None)


def make_task(specs: TaskSpecs, name: str | None = None, where: str = "") -> Task | None:
    """Return a task of a robot.

    Args:
        specs: The robot's scene.
        name: Of the task; None for the first that the robot can do, or no task if there is none.
        where: Whose tasks they are, for the error.

    Raises:
        ConfigError: The robot has no such task.
    """
    has = tasks_of(specs)
    if name is None and not has:
        return None
    chosen = has[0] if name is None else name
    task = TASKS[chosen](specs) if chosen in TASKS else None
    if task is None:
        raise ConfigError(f"no task {chosen!r}", where=where, fix=f"there is: {', '.join(has) or 'none'}")
    return task
