# SPDX-License-Identifier: Apache-2.0
"""Errors that a user can cause, each with what is wrong, where, and what to do."""

from pathlib import Path

__all__ = ["ClipError", "ConfigError", "ContractError", "DataError", "KataError", "RobotError", "fault_text"]


class KataError(Exception):
    """Base of all errors that Kata raises on purpose.

    Args:
        what: What is wrong, with the offending value and what was allowed.
        where: File, line, topic or parameter that holds the fault.
        fix: What the user can do about it.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        """Join the parts into one line."""
        self.what, self.where, self.fix = what, where, fix
        super().__init__(f"{f'{where}: ' if where else ''}{what}{f' ({fix})' if fix else ''}")


class RobotError(KataError):
    """A robot's description is missing or unusable."""


class ClipError(KataError):
    """A motion clip cannot be read."""


class ConfigError(KataError):
    """A parameter or configuration file is invalid."""


class ContractError(KataError):
    """A policy file does not fit the robot that should run it."""


class DataError(KataError):
    """A bag or dataset cannot be used."""


def fault_text(error: BaseException) -> str:
    """Return any exception in one line: what the system or Kata says, else its kind and where it was raised."""
    if isinstance(error, KataError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{place}: {' '.join(str(error).split())}".rstrip(": ")
