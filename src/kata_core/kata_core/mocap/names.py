# SPDX-License-Identifier: Apache-2.0
"""How the usual skeletons name their joints: a table, and how a name is read against it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["DIALECTS", "HEAD", "SPINE", "Dialect", "match_limbs", "split"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One family of names; each value is a pattern for a whole stem (see `split`), sides taken off.

    The names are those of joints: ``forearm`` is what turns the forearm, so the elbow.
    """

    name: str
    clavicle: str
    upper_arm: str
    forearm: str
    hand: str
    thigh: str
    shin: str
    foot: str
    toes: str

    def limbs(self) -> Mapping[str, str]:
        """Return pattern by part."""
        return {part: getattr(self, part) for part in self.__slots__ if part != "name"}


# The order counts: the first dialect with all limbs on both sides is taken, and one word means different
# joints in different families ("shoulder" is the collar bone in one, the upper arm in the next).
DIALECTS: tuple[Dialect, ...] = (
    Dialect(
        "MotionBuilder (CMU, LAFAN1, Mixamo)",
        "shoulder",
        "arm",
        "forearm",
        "hand",
        "upleg",
        "leg",
        "foot",
        "toe(base)?",
    ),
    Dialect(
        "anatomical (Blender, Unreal, MVN)",
        "shoulder|clavicle|collar",
        "upperarm|uparm",
        "forearm|lowerarm|lowarm",
        "hand|wrist",
        "thigh|upperleg|upleg",
        "shin|calf|lowerleg|lowleg",
        "foot|ankle",
        "toes?|ball|toebase",
    ),
    Dialect(
        "joints (SMPL, Xsens)",
        "collar|clavicle",
        "shoulder",
        "elbow",
        "wrist",
        "hip",
        "knee",
        "ankle",
        "toes?|foot|toebase|ball",
    ),
    Dialect(
        "Poser (ACCAD)",
        "collar",
        "sh(oul)?de?r|shldr",
        "forearm",
        "hand",
        "thigh",
        "shin|leg",
        "foot",
        "toes?",
    ),
)
HEAD = re.compile(r"head")
SPINE = re.compile(r"(spine|chest|torso|abdomen|lowerback|upperback|thorax|belly|[lt]\d+)\d*")

_SIDES = (
    (re.compile(r"^(left|right)(.+)$", re.I), 1, 2),
    (re.compile(r"^(.+?)[._\- ]?(left|right)$", re.I), 2, 1),
    (re.compile(r"^(.+)[._\- ]([lr])$", re.I), 2, 1),
    (re.compile(r"^([lr])[._\- ](.+)$", re.I), 1, 2),
    (re.compile(r"^([lrLR])([A-Z].*)$"), 1, 2),
)


def split(name: str) -> tuple[str, str]:
    """Return side (``left``, ``right`` or empty) and stem (lower case, letters and digits) of a name.

    >>> split("mixamorig:LeftUpLeg"), split("upper_arm.R"), split("L_Hip"), split("rShldr")
    (('left', 'upleg'), ('right', 'upperarm'), ('left', 'hip'), ('right', 'shldr'))
    """
    bare = re.split(r"[:|]", name)[-1]
    bare = re.sub(
        r"^(mixamorig\d*|bip0*1|DEF|ORG|m_avg|Character\d*)[_\- ]+",
        "",
        bare,
        flags=re.I,
    )
    for pattern, side, stem in _SIDES:
        if found := pattern.match(bare):
            return {"l": "left", "r": "right"}[found[side][0].lower()], _plain(found[stem])
    return "", _plain(bare)


def match_limbs(names: tuple[str, ...]) -> tuple[Dialect, dict[str, int]] | None:
    """Return the first dialect that knows all limbs, and joints by ``side_part``; None if none does.

    Clavicles and toes may be missing. Of several joints that fit, the first in the file counts.
    """
    stems = [split(name) for name in names]
    for dialect in DIALECTS:
        found = {
            f"{side}_{part}": joint
            for side in ("left", "right")
            for part, pattern in dialect.limbs().items()
            if (joint := _first(stems, side, pattern)) is not None
        }
        if all(f"{side}_{part}" in found for side in ("left", "right") for part in _REQUIRED):
            return dialect, found
    return None


_REQUIRED = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")


def _first(stems: list[tuple[str, str]], side: str, pattern: str) -> int | None:
    whole = re.compile(pattern)
    return next(
        (i for i, (s, stem) in enumerate(stems) if s == side and whole.fullmatch(stem)),
        None,
    )


def _plain(stem: str) -> str:
    return re.sub(r"[^a-z0-9]", "", stem.lower())
