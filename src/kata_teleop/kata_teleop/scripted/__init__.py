# SPDX-License-Identifier: Apache-2.0
"""Scripted persons who show tasks: what they do with their hands, seen by a tracker."""

import numpy as np

from kata_model.errors import ConfigError
from kata_teleop.scripted.lift import LiftSkill, LiftSkillConfig
from kata_teleop.scripted.person import PersonConfig, Poses, ScriptedPerson, Skill, palms_of
from kata_teleop.scripted.push import PushSkill, PushSkillConfig
from kata_teleop.scripted.reach import ReachSkill, ReachSkillConfig

__all__ = ["TASKS", "PersonConfig", "Poses", "ScriptedPerson", "Skill", "make_person", "palms_of"]

TASKS = ("reach", "lift", "push")
"""Tasks that a scripted person can show."""


def make_person(task: str, config: PersonConfig) -> ScriptedPerson:
    """Return a person who shows a task.

    Args:
        task: One of `TASKS`.
        config: How the person differs from a machine.

    Raises:
        ConfigError: Nobody can show that task.
    """
    rng, spread = np.random.default_rng(config.seed), config.spread
    skill: Skill
    match task:
        case "reach":
            skill = ReachSkill(ReachSkillConfig(), rng, spread)
        case "lift":
            skill = LiftSkill(LiftSkillConfig(), rng, spread)
        case "push":
            skill = PushSkill(PushSkillConfig(), rng, spread)
        case _:
            raise ConfigError(f"nobody can show the task {task!r}", fix=f"there is: {', '.join(TASKS)}")
    return ScriptedPerson(skill, config, rng)
