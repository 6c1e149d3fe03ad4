"""One tree of errors. Each says in one sentence what happened, to what, and what to do; `cli` turns it into an exit code."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process returns; the same numbers for every command."""

    DONE = 0
    BUG = 1
    USAGE = 2
    AUDIT = 3
    CONSENT = 4
    STORE = 5
    MACHINE = 6
    INPUT = 7
    MODEL = 8
    HIDDEN = 9
    INTERRUPTED = 130


class FacedoubleError(Exception):
    """The root: something the user can be told in one sentence."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG


class UsageError(FacedoubleError):
    """The command or an option does not make sense."""

    exit_code = ExitCode.USAGE


class AuditFailed(FacedoubleError):
    """The audit found something in the finished film that could not be covered, or could not be made."""

    exit_code = ExitCode.AUDIT


class ConsentError(FacedoubleError):
    """A consent record is missing, unreadable, out of scope or out of date."""

    exit_code = ExitCode.CONSENT


class StoreError(FacedoubleError):
    """A destination cannot be written: disk full, no permission, it exists already."""

    exit_code = ExitCode.STORE


class MachineError(FacedoubleError):
    """The machine cannot give a promise that the program makes (network denial)."""

    exit_code = ExitCode.MACHINE


class InputRefused(FacedoubleError):
    """Footage, photo or `.fdouble` that is not what it has to be."""

    exit_code = ExitCode.INPUT


class NoFaceFound(InputRefused):
    """There is no face anywhere in the footage, and nobody said that this is right."""


class TakeRefused(InputRefused):
    """A volunteer's recording that cannot be laid on the witness's timing."""


class ModelError(FacedoubleError):
    """A model file is missing or altered."""

    exit_code = ExitCode.MODEL
