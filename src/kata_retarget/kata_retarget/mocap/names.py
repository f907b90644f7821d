# SPDX-License-Identifier: Apache-2.0
"""How the usual skeletons name their joints: a table, and how a name is read against it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["DIALECTS", "Dialect", "match_limbs", "named", "split"]


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
        clavicle="shoulder",
        upper_arm="arm",
        forearm="forearm",
        hand="hand",
        thigh="upleg",
        shin="leg",
        foot="foot",
        toes="toe(base)?",
    ),
    Dialect(
        "anatomical (Blender, Unreal, MVN, 3ds Max)",
        clavicle="shoulder|clavicle|collar",
        upper_arm="upperarm|uparm",
        forearm="forearm|lowerarm|lowarm",
        hand="hand|wrist",
        thigh="thigh|upperleg|upleg",
        shin="shin|calf|lowerleg|lowleg",
        foot="foot|ankle",
        toes="toes?0?|ball|toebase",
    ),
    Dialect(
        "joints (SMPL, Xsens, keypoints)",
        clavicle="collar|clavicle",
        upper_arm="shoulder",
        forearm="elbow",
        hand="wrist",
        thigh="hip",
        shin="knee",
        foot="ankle",
        toes="toes?|foot|toebase|ball|footindex|bigtoe",
    ),
    Dialect(
        "Poser (ACCAD)",
        clavicle="collar",
        upper_arm="shldr|shoulder",
        forearm="forearm",
        hand="hand",
        thigh="thigh",
        shin="shin|leg",
        foot="foot",
        toes="toes?",
    ),
)

_REQUIRED = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")
_IGNORE = re.IGNORECASE
_SIDES = (
    (re.compile(r"^(left|right)(.+)$", _IGNORE), 1, 2),
    (re.compile(r"^(.+?)[._\- ]?(left|right)$", _IGNORE), 2, 1),
    (re.compile(r"^(.+)[._\- ]([lr])$", _IGNORE), 2, 1),
    (re.compile(r"^([lr])[._\- ](.+)$", _IGNORE), 1, 2),
    (re.compile(r"^([lrLR])([A-Z].*)$"), 1, 2),
)


def split(name: str) -> tuple[str, str]:
    """Return side (``left``, ``right`` or empty) and stem (lower case, letters and digits) of a name.

    >>> split("mixamorig:LeftUpLeg"), split("upper_arm.R"), split("L_Hip"), split("rShldr")
    (('left', 'upleg'), ('right', 'upperarm'), ('left', 'hip'), ('right', 'shldr'))
    """
    bare = re.split(r"[:|]", name)[-1]
    for pattern, side, stem in _SIDES:
        if found := pattern.match(bare):
            return {"l": "left", "r": "right"}[found[side][0].lower()], _plain(found[stem])
    return "", _plain(bare)


def match_limbs(names: Sequence[str]) -> tuple[Dialect, dict[str, int]] | None:
    """Return the first dialect that knows all limbs, and joints by ``side_part``; None if none does.

    Clavicles and toes may be missing. Of several joints that fit, the first in the file counts.
    """
    stems = [split(name) for name in _without_prefix(names)]
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


def named(names: Sequence[str], pattern: str) -> list[int]:
    """Return the joints whose stem fits a pattern as a whole."""
    return [i for i, name in enumerate(_without_prefix(names)) if re.fullmatch(pattern, split(name)[1])]


def _without_prefix(names: Sequence[str]) -> list[str]:
    """Take off what all names begin with, up to a separator: ``Bip01 L Thigh`` → ``L Thigh``."""
    joints = [name for name in names[1:] if not name.endswith("/end")]  # the root is often named by the prefix alone
    first, last = min(joints, default=""), max(joints, default="")
    alike = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    found = re.match(r".*[_:.\- ]", first[:alike])
    prefix = found[0] if found else ""
    bare = [name.removeprefix(prefix) for name in names]
    return [re.sub(r"^(mixamorig\d*|DEF|ORG|Character\d*)[_\- ]", "", name, flags=_IGNORE) for name in bare]


def _first(stems: list[tuple[str, str]], side: str, pattern: str) -> int | None:
    whole = re.compile(pattern)
    return next((i for i, (s, stem) in enumerate(stems) if s == side and whole.fullmatch(stem)), None)


def _plain(stem: str) -> str:
    return re.sub(r"[^a-z0-9]", "", stem.lower())
