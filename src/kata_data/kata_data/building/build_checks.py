# SPDX-License-Identifier: Apache-2.0
"""What makes bags unfit for one dataset; each refusal shows both sides."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from kata_data.bags.bag_info import BagInfo
from kata_data.building.aligned import Aligned
from kata_data.building.build_config import DatasetConfig
from kata_data.dataset import Manifest
from kata_model.errors import DataError
from kata_model.robot import RobotModel

__all__ = ["check_cameras", "check_known", "check_rates", "check_robots", "one_task", "refuse_damaged"]

_SPREAD = 1.5
"""Greatest ratio of the rates at which the joints of two bags were measured."""
_SLOW = 0.9
"""Least rate of the joint states, as a share of the dataset's: below it, steps would repeat samples."""
_NAMED = 5
"""Damaged bags that are named in one line."""


def refuse_damaged(damaged: Mapping[Path, str], *, skip: bool) -> None:
    """Raise DataError that names the damaged bags, unless they are to be skipped."""
    if not damaged or skip:
        return
    reasons = "; ".join(list(damaged.values())[:_NAMED])
    more = f"; and {len(damaged) - _NAMED} more" if len(damaged) > _NAMED else ""
    number = f"{len(damaged)} bag{'s' if len(damaged) > 1 else ''} cannot be used"
    raise DataError(f"{number}: {reasons}{more}", fix="give --on-damage skip to leave such bags out")


def check_robots(infos: Sequence[BagInfo], robot: RobotModel) -> None:
    """Raise DataError if a bag says that it is of another robot; one that does not say is judged by its joints."""
    for info in infos:
        if info.robot and info.robot != robot.description.name:
            what = f"recorded from robot {info.robot!r}, not {robot.description.name!r}"
            raise DataError(what, where=str(info.path), fix="name the robot with --robot, and give bags of one robot")


def check_rates(aligned: Sequence[Aligned], rate: float) -> None:
    """Raise DataError if joints were measured too slowly, or at much different rates."""
    if not aligned:
        return
    low, high = (choose(aligned, key=lambda one: one.state_rate) for choose in (min, max))
    slow, fast = (f"{one.state_rate:.0f} Hz in {one.info.path}" for one in (low, high))
    if not high.state_rate <= _SPREAD * low.state_rate:
        raise DataError(f"joints were measured at {slow}, but at {fast}", fix="build one dataset for each rate")
    if not low.state_rate >= _SLOW * rate:
        raise DataError(f"joints were measured at {slow}, slower than --rate {rate:g}", fix="give a lower --rate")


def check_cameras(aligned: Sequence[Aligned], cameras: Mapping[str, tuple[int, ...]]) -> None:
    """Raise DataError if a bag has other cameras, or pictures of another size."""
    for one in aligned:
        has = {name: track.shape for name, track in one.frames.items()}
        if has != dict(cameras):
            what = f"has cameras {_cameras(has)}, the others {_cameras(cameras)}"
            raise DataError(what, where=str(one.info.path), fix="name those that all have with --cameras")


def _cameras(shapes: Mapping[str, Sequence[int]]) -> str:
    return ", ".join(f"{name} {shape[1]}×{shape[0]}" for name, shape in sorted(shapes.items())) or "none"


def one_task(aligned: Sequence[Aligned], wanted: str = "") -> str:
    """Return the task of all bags.

    Raises:
        DataError: There are several.
    """
    tasks = sorted({one.task for one in aligned} | ({wanted} if wanted else set()))
    if len(tasks) > 1:
        raise DataError(f"bags of several tasks: {', '.join(tasks)}", fix="build one dataset a task")
    return tasks[0]


def check_known(known: Manifest, robot: RobotModel, config: DatasetConfig, joints: Sequence[str], terms: Sequence[str]) -> None:
    """Raise DataError if a dataset that is added to was built otherwise than is asked for."""
    pairs = {
        "robot": (known.robot, robot.description.name),
        "--rate": (known.rate, config.rate),
        "--tolerance": (known.tolerance, config.tolerance),
        "--joints": (known.joint_names, tuple(joints) or known.joint_names),
        "--terms": (tuple(known.terms), tuple(terms) or tuple(known.terms)),
    }
    for name, (has, asked) in pairs.items():
        if has != asked:
            what = f"the dataset was built with {name} {_text(has)}, not {_text(asked)}"
            raise DataError(what, fix="ask for the same, or build it anew with --replace")


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
