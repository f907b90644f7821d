# SPDX-License-Identifier: Apache-2.0
"""Many demonstrations, on many cores: bags as the graph would have recorded them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kata_data.bags.bag_pool import Pool, open_pool
from kata_model.config.params import param
from kata_model.errors import DataError, KataError
from kata_model.robot import RobotModel
from kata_sim import Randomization, SimConfig, Simulation, load_sim_data, make_task
from kata_sim.demonstrations.encoding import Encoder
from kata_sim.demonstrations.episode import EpisodeConfig, Outcome, perform
from kata_sim.demonstrations.recorder import BagRecorder
from kata_teleop.tasks import TASK_TEXTS

__all__ = ["Collected", "SessionConfig", "demonstrate"]

_PATIENCE = 3
"""Attempts for each demonstration that is wanted, on average, before it is given up."""


@dataclass(frozen=True)
class SessionConfig:
    """How many demonstrations are collected, and how."""

    episodes: int = param(50, low=1, high=1_000_000, doc="Demonstrations that are wanted.")
    seed: int = param(0, low=0, high=2**31 - 1, doc="Seed of everything random; another session should use another.")
    jobs: int = param(1, low=1, high=1024, doc="Processes at a time.")
    failures: bool = param(False, doc="Keep failed attempts too, labelled as such, and do not repeat them.")


@dataclass(frozen=True, slots=True)
class Collected:
    """What was collected.

    Attributes:
        bags: Folders of the bags, in the order of their numbers.
        attempts: Attempts that were made.
        successes: Of these.
        seconds: Simulated time of all attempts [s].
    """

    bags: tuple[Path, ...]
    attempts: int
    successes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Order:
    """What each process is told; it travels once for each attempt."""

    task: str
    seed: int
    out: Path
    failures: bool
    episode: EpisodeConfig
    randomization: Randomization = field(default_factory=Randomization)


def demonstrate(
    robot: RobotModel,
    task: str,
    out: Path,
    session: SessionConfig,
    episode: EpisodeConfig | None = None,
    randomization: Randomization | None = None,
    on_episode: Callable[[bool], None] | None = None,
) -> Collected:
    """Collect demonstrations of a task; equal arguments give equal numbers in equal bags.

    Args:
        robot: The robot.
        task: Name of the task.
        out: Folder that receives one bag for each episode; it must hold none.
        session: How many, from which seed.
        episode: How each is shown; None for the defaults.
        randomization: What differs between them; None for nothing.
        on_episode: Called after each attempt with whether it was kept.

    Raises:
        ConfigError: The robot has no such task, or the workspace's messages are not installed.
        DataError: The folder holds episodes already or cannot be written, or most attempts fail.
    """
    make_task(load_sim_data(robot.description).tasks, task, robot.description.name)
    if any(out.glob("episode_*")):
        raise DataError("holds episodes already", where=str(out), fix="name a new folder")
    order = _Order(task, session.seed, out, session.failures, episode or EpisodeConfig(), randomization or Randomization())
    done: dict[int, tuple[Outcome, Path | None]] = {}
    with open_pool(robot, session.jobs, session.episodes) as pool:
        while (missing := session.episodes - sum(bag is not None for _, bag in done.values())) > 0:
            if len(done) >= _PATIENCE * session.episodes:
                what = f"only {session.episodes - missing} of {len(done)} attempts at {task} succeeded"
                raise DataError(what, where=str(out), fix="disturb less, or keep failures")
            _attempt(pool, order, range(len(done), len(done) + missing), done, on_episode)
    outcomes = [outcome for outcome, _ in done.values()]
    bags = tuple(bag for _, (_, bag) in sorted(done.items()) if bag is not None)
    return Collected(bags, len(done), sum(o.success for o in outcomes), sum(o.elapsed for o in outcomes))


def _attempt(
    pool: Pool,
    order: _Order,
    numbers: range,
    done: dict[int, tuple[Outcome, Path | None]],
    on_episode: Callable[[bool], None] | None,
) -> None:
    for i, result in pool.run(_record, [(order, number) for number in numbers]):
        if isinstance(result, KataError):
            raise result
        done[numbers[i]] = result
        if on_episode is not None:
            on_episode(result[1] is not None)


def _record(robot: RobotModel, order: _Order, number: int) -> tuple[Outcome, Path | None]:
    """Make one attempt, and return what came of it and its bag, if it was kept."""
    simulation, encoder = _simulated(robot, order)
    facts = {"task": TASK_TEXTS[order.task], "source": "operator", "seed": f"{order.seed}/{number}"}
    noise = {"noise": f"{order.episode.noise:g}"} if order.episode.noise else {}
    bag = BagRecorder(robot, order.out / f"episode_{number:04d}", {**facts, **noise}, 0)
    kept = None
    try:
        outcome = perform(simulation, order.episode, (order.seed, number), encoder, bag.write)
        if outcome.success or order.failures:
            kept = bag.save({"task_success": str(outcome.success).lower()}, simulation.time)
    except OSError as error:
        raise DataError(f"cannot write: {error.strerror or error}", where=str(order.out)) from error
    finally:
        if kept is None:
            bag.discard()
    return outcome, kept


_made: dict[tuple[Path, str, Randomization], tuple[Simulation, Encoder]] = {}


def _simulated(robot: RobotModel, order: _Order) -> tuple[Simulation, Encoder]:
    """Return this process's simulation, which takes a second to build."""
    key = robot.description.folder, order.task, order.randomization
    if key not in _made:
        simulation = Simulation(robot, SimConfig(), order.task, order.randomization)
        _made[key] = simulation, Encoder(robot.layout.names, robot.description.base_link)
    return _made[key]
