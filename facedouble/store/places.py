"""What the system tells a session through its environment: where private files go, and a descriptor that a parent handed on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from facedouble.errors import StoreError

KEY_FD: Final = "FACEDOUBLE_KEY_FD"  # holds a number only; the key itself is in the pipe of that number


def state_folder() -> Path:
    """Where this user's programs remember things between runs."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "facedouble"


def runtime_folder() -> Path:
    """A folder for sockets that only this user can enter; made if it is not there. StoreError if somebody else made it."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(given) / "facedouble" if given else Path(f"/tmp/facedouble-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise StoreError(f"{folder}: no place for an unlocked project's key ({error.strerror}); set XDG_RUNTIME_DIR") from error
    if found.st_uid != os.getuid() or found.st_mode & 0o170077 != 0o040000:
        raise StoreError(f"{folder}: others than you can enter it, so no key is held there; remove it, or set XDG_RUNTIME_DIR")
    return folder


def handed_descriptor() -> int | None:
    """The number of a descriptor that a parent process left a keyring in."""
    said = os.environ.get(KEY_FD, "")
    return int(said) if said.isdigit() else None
