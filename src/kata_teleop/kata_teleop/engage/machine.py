# SPDX-License-Identifier: Apache-2.0
"""The one way to engage: disengaged, arming, engaged, lost."""

from collections.abc import Mapping, Set

from kata_teleop.engage.config import Cause, EngageConfig, Phase

__all__ = ["EngageMachine"]


class EngageMachine:
    """Says what may move, from clutches, faults and refusals; knows no poses.

    A *clutch* is one thing that can be gripped: a hand, an arm. A *fault* (input not to be trusted) loses whatever
    is arming or engaged; after that, and after a *refusal*, a clutch must be let go and pressed anew.
    """

    def __init__(self, config: EngageConfig) -> None:
        """Start disengaged."""
        self._toggle, self._arm_time = config.mode == "toggle", round(config.arm_time * 1e9)
        self._max_mismatch = config.max_mismatch
        self.pressed: frozenset[str] = frozenset()
        """The clutches that were pressed at the last look."""
        self._latched: set[str] = set()
        self._blocked: set[str] = set()
        self._since: dict[str, int] = {}
        self.phase = Phase.DISENGAGED
        self.cause = ""
        """Why it is lost, arming no further, or refused; a name from `Cause`."""
        self.active: frozenset[str] = frozenset()
        """The clutches that move the robot now."""
        self.lost_since: int | None = None
        """Since when its input is not to be trusted [ns]; None once that is over, though it is lost until it is let go."""

    def step(
        self, pressed: Set[str], now: int, *, fault: str = "", refusal: str = "", mismatch: Mapping[str, float] | None = None
    ) -> Phase:
        """Take one look.

        Args:
            pressed: Clutches that are pressed at this moment.
            now: Time [ns].
            fault: Why the input must not be trusted, or empty.
            refusal: Why nobody may engage now, or empty.
            mismatch: By clutch, how far the person is from the robot [rad]; NaN is too far.
        """
        wanted = self._wanted(frozenset(pressed), trusted=not fault)
        self._blocked &= wanted
        if fault and self.phase in (Phase.ARMING, Phase.ENGAGED):
            self.phase, self.cause = Phase.LOST, fault
        if fault or refusal or self.phase is Phase.LOST:
            return self._wait(wanted, now, fault, refusal)
        for clutch in wanted - self._blocked:
            self._since.setdefault(clutch, now)
        for clutch in set(self._since) - wanted:
            del self._since[clutch]
        near = {c for c in self._since if c in self.active or (mismatch or {}).get(c, 0.0) <= self._max_mismatch}
        self._since |= dict.fromkeys(set(self._since) - near, now)
        self.active = frozenset(c for c in near if now - self._since[c] >= self._arm_time)
        self.cause = Cause.MISMATCH if set(self._since) - near else ""
        self.phase = Phase.ENGAGED if self.active else Phase.ARMING if self._since else Phase.DISENGAGED
        return self.phase

    @property
    def held(self) -> frozenset[str]:
        """The clutches that move the robot, or will after the arming time."""
        return frozenset(self._since)

    def release(self) -> None:
        """Let go of everything, as when the person leaves; a clutch that is still held counts only when pressed anew."""
        self._latched.clear()
        self._since.clear()
        self._blocked = set(self.pressed)
        self.active, self.lost_since = frozenset(), None
        self.phase, self.cause = Phase.DISENGAGED, ""

    def _wait(self, wanted: frozenset[str], now: int, fault: str, refusal: str) -> Phase:
        """Let nothing move; being lost ends when the input is sound and every clutch was let go."""
        self._latched.clear()
        self._since.clear()
        self.active = frozenset()
        self._blocked |= wanted
        if self.phase is not Phase.LOST:
            self.phase, self.cause = Phase.DISENGAGED, fault or refusal
        elif fault:
            self.lost_since = now if self.lost_since is None else self.lost_since
        elif self.pressed:
            self.lost_since = None
        else:
            self.release()
        return self.phase

    def _wanted(self, pressed: frozenset[str], *, trusted: bool) -> frozenset[str]:
        fresh, self.pressed = pressed - self.pressed, pressed
        if not self._toggle:
            return pressed
        if trusted:
            self._latched ^= fresh
        return frozenset(self._latched)
