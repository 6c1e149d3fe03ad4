"""The newest head of each project's log that this machine has seen, so that an older copy put in its place is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress

from facedouble.errors import StoreError
from facedouble.store import files
from facedouble.store.log import RECOVERED, Log
from facedouble.store.places import state_folder

Head = tuple[int, str]  # number of the last entry, SHA-256 of its file


def recall(project: str) -> Head | None:
    """What was seen last; None on a machine that has not seen the project."""
    path = state_folder() / f"{project}.head"
    try:
        said = json.loads(path.read_text())
        return int(said["n"]), str(said["head"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: cannot be read, and it tells whether the project was rolled back; compare the head on paper "
                         "with `facedouble log verify`, then remove this file") from error


def remember(project: str, head: Head) -> None:
    """Write it down. A disk that is full keeps the older one, which notices less, and never raises a false alarm."""
    with suppress(StoreError, OSError):
        state_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write(state_folder() / f"{project}.head", json.dumps({"n": head[0], "head": head[1]}).encode())


def check(project: str, log: Log) -> None:
    """StoreError if the log is not the one that was seen here, or a later state of it."""
    seen = recall(project)
    if seen is None or (seen[0] <= log.n and log.entries[seen[0] - 1].digest == seen[1]):
        return
    if any(e.event == RECOVERED and (e.facts.get("n"), e.facts.get("head")) == seen for e in log.entries):
        return
    raise StoreError(f"this project was rolled back: its log ends at entry {log.n}, and this machine has seen another entry "
                     f"{seen[0]}; keep it as it is and look for the newer copy, or let two key holders accept it with "
                     "`facedouble log recover`")


def check_blind(project: str, head: Head, digest_of: Callable[[int], str]) -> None:
    """The same on a field laptop, which knows digests only."""
    seen = recall(project)
    if seen is None:
        return
    if seen[0] > head[0] or digest_of(seen[0]) != seen[1]:
        raise StoreError(f"this field project was rolled back or altered: it has {head[0]} log entries, and this machine has "
                         f"seen another entry {seen[0]}; keep it as it is, and start a new field project")
