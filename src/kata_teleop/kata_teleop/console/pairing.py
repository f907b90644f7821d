# SPDX-License-Identifier: Apache-2.0
"""Who may connect: a code that is good once, then a token for whoever had it."""

import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Paired", "Pairing"]

_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that is mistaken for another
_LENGTH = 8
_KEPT = 64  # tokens
_MINUTE = 60_000_000_000


def _code() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


@dataclass(slots=True)
class Paired:
    """Somebody who has a token: number of the client, name, and until when it is good [ns]."""

    client: int
    name: str
    until: int


class Pairing:
    """Codes and tokens; times are the caller's, of a clock that only rises."""

    def __init__(self, code_life: float, token_life: float, make: Callable[[], str] = _code) -> None:
        """Set up.

        Args:
            code_life: How long a code is good [s].
            token_life: How long a token is good [s].
            make: Makes a code.
        """
        self._code_life, self._token_life = round(code_life * 1e9), round(token_life * 1e9)
        self._make = make
        self._codes: dict[str, int] = {}
        self._paired: dict[bytes, Paired] = {}
        self._failures: deque[int] = deque(maxlen=5)
        self._locked_until = 0
        self._count = 0

    def new_code(self, now: int) -> str:
        """Return a code that one client may use once; earlier ones stay good until their own end."""
        self._codes = {code: until for code, until in self._codes.items() if until > now}
        while len(self._codes) >= 4:
            del self._codes[next(iter(self._codes))]
        code = self._make()
        self._codes[code] = now + self._code_life
        return code

    def has_code(self, now: int) -> bool:
        """Return whether a code is waiting to be used at a time [ns]."""
        return any(until > now for until in self._codes.values())

    def locked(self, now: int) -> bool:
        """Return whether too many wrong codes came: 5 within a minute lock for 30 s."""
        return now < self._locked_until

    def redeem(self, code: str, name: str, now: int) -> tuple[str, Paired] | None:
        """Return a new token and its holder for a code, which is then used up; None if it is wrong or old."""
        given = code.strip().upper().encode()
        found = [c for c, until in self._codes.items() if hmac.compare_digest(c.encode(), given) and until > now]
        if not found:
            self._fail(now)
            return None
        del self._codes[found[0]]
        self._count += 1
        token, holder = secrets.token_urlsafe(24), Paired(self._count, name, now + self._token_life)
        while len(self._paired) >= _KEPT:
            del self._paired[next(iter(self._paired))]
        self._paired[_hash(token)] = holder
        return token, holder

    def recognise(self, token: str, now: int) -> Paired | None:
        """Return who holds a token; None if it is wrong or old. Nobody guesses one, so wrong ones lock nothing."""
        holder = self._paired.get(_hash(token))
        return holder if holder is not None and holder.until > now else None

    def _fail(self, now: int) -> None:
        self._failures.append(now)
        if len(self._failures) == self._failures.maxlen and now - self._failures[0] < _MINUTE:
            self._locked_until = now + _MINUTE // 2
            self._failures.clear()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
