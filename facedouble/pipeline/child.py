"""The audit in a process of its own: it gets paths, and gives its words; it shares nothing else with what drew the film."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from facedouble.audit.verdict import Audit, read
from facedouble.errors import (
    AuditFailed,
    ExitCode,
    FacedoubleError,
    InputRefused,
    MachineError,
    ModelError,
    StoreError,
    UsageError,
)
from facedouble.pipeline.analyse import Progress

RAISED = {e.exit_code: e for e in (UsageError, StoreError, MachineError, InputRefused, ModelError)}


OURS = "facedouble: "  # so begins the sentence that says why a run ended


def audit_in_child(film: Path, arguments: Sequence[str], progress: Progress, environment: Mapping[str, str] | None = None,
                   descriptors: Sequence[int] = ()) -> tuple[Audit, bytes]:
    """Run `facedouble audit` on a file; its words and its page, whatever they say.

    environment, descriptors: what the child gets besides, so that it can open the project that the film is in.
    AuditFailed if it comes to no end: what was not audited is not let go.
    """
    command = [sys.executable, "-m", "facedouble", "audit", str(film), *arguments, "--lines"]
    words, said = "", None
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          encoding="utf-8", env=environment, pass_fds=tuple(descriptors)) as child:
        assert child.stdout is not None
        try:
            for line in child.stdout:
                words = line.strip().removeprefix(OURS) if line.startswith(OURS) else words
                said = _told(line) or said
                _follow(line, progress)
        except BaseException:
            child.kill()
            raise
    if child.returncode not in (ExitCode.DONE, ExitCode.AUDIT):
        raise _error(child.returncode, words, film)
    try:
        if said is None:
            raise ValueError("it said nothing")
        audit = read(said["audit"])
        if audit.passed is not (child.returncode == ExitCode.DONE):
            raise ValueError("its words and its end contradict each other")
        return audit, said["page"].encode()
    except (KeyError, ValueError, AttributeError) as error:
        raise AuditFailed(f"{film}: the audit's words cannot be read ({error}); start again") from error


def _told(line: str) -> dict[str, str] | None:
    """The line with the audit's words and its page; None for any other."""
    if not line.startswith('{"audit"'):
        return None
    try:
        held = json.loads(line)
    except ValueError:
        return None
    return held if isinstance(held, dict) else None


def _follow(line: str, progress: Progress) -> None:
    """One line of progress: a JSON list of step, done, total. Any other may be of a library that has something to say."""
    try:
        step, done, total = json.loads(line)
        count, whole = int(done), None if total is None else int(total)
    except (ValueError, TypeError, OverflowError):
        return
    progress(f"audit: {step}", count, whole)


def _error(code: int, words: str, film: Path) -> FacedoubleError:
    kind = RAISED.get(ExitCode(code)) if code in set(ExitCode) else None
    if kind is None:
        return AuditFailed(f"{film}: the audit did not come to an end ({words or f'code {code}'}); start again")
    return kind(words)
