"""A keyring for a child process: in a pipe, which is in memory only, and can be read once."""

from __future__ import annotations

import os
from functools import lru_cache

from facedouble.errors import StoreError
from facedouble.store.keys import Keyring
from facedouble.store.places import KEY_FD, handed_descriptor


def hand_on(keyring: Keyring) -> int:
    """A descriptor for `pass_fds` of one child; the caller closes it once the child was started."""
    out, into = os.pipe()
    with os.fdopen(into, "wb") as pipe:  # far below what a pipe holds, so nobody has to read yet
        pipe.write(keyring.packed())
    os.set_inheritable(out, True)
    return out


def environment(descriptor: int) -> dict[str, str]:
    """The child's environment: it says the number of the descriptor, and nothing else of the key."""
    return {**os.environ, KEY_FD: str(descriptor)}


@lru_cache(maxsize=1)
def handed() -> Keyring | None:
    """What the parent process left for this one; read at the first call, after which the descriptor is closed."""
    descriptor = handed_descriptor()
    if descriptor is None:
        return None
    try:
        with os.fdopen(descriptor, "rb") as pipe:
            return Keyring.unpacked(pipe.read())
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"the key that {KEY_FD} speaks of cannot be read; unset it, and unlock the project") from error
