# SPDX-License-Identifier: Apache-2.0
"""What the filter remembers of the targets that it followed, found out from its verdicts.

A target without velocities is approached from where the one before it was followed, and that from where the one before
was: the way hangs on all targets since the last hold. But each step forgets most of what was before. So a recording that
begins in the middle is taken up by two followers, one that comes from the lowest goal and one from the highest; when both
are on the same way, bit for bit, it is the way, wherever it began (coupling from the past, Propp and Wilson 1996).
"""

from kata_model.joints import JointCommand
from kata_model.verdict import FOLLOWED, Reason, Status, Verdict
from kata_safety.config import SafetyConfig
from kata_safety.follower import Follower
from kata_safety.limits import JointLimits

__all__ = ["Recollection"]

_HELD = (Status.STANDBY, Status.HOLDING)
_FORGOTTEN = {Reason.CLOCK_JUMP}
"""Where the robot is held by this, as in standby, where there never was a target, nothing is remembered."""

_UNTOLD = {Reason.WARMING_IN, Reason.DUPLICATED}


class Recollection:
    """Listens to verdicts in turn, without a gap, until it knows."""

    def __init__(self, limits: JointLimits, config: SafetyConfig) -> None:
        """Know nothing yet."""
        self._limits = limits
        self.follower, self._other = Follower(limits, config), Follower(limits, config)
        """What is remembered, once it is known."""
        self._listening = False

    def note(self, verdict: Verdict, target: JointCommand | None) -> bool:
        """Listen to a verdict and the target that it names; return whether all that is remembered after it is known."""
        pair = (self.follower, self._other)
        if verdict.status in _HELD:
            anew = verdict.status is Status.STANDBY or bool(_FORGOTTEN & set(verdict.reasons))
            for follower in pair:
                follower.release()
                if anew:
                    follower.forget()
            self._listening |= anew
            return self._listening
        if verdict.status not in FOLLOWED or target is None:
            self._listening = False
            return False
        for follower in pair:
            follower.note(target, verdict.stamp)
        if not self._listening:
            self._listening = True
            self.follower.suppose(self._limits.lower, verdict.stamp)
            self._other.suppose(self._limits.upper, verdict.stamp)
        return not _UNTOLD & set(verdict.reasons) and self.follower.agrees(self._other)
