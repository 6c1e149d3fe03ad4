"""Key holders come and go: each act is an entry of the log, and one that takes a key away gives the project a new one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

from facedouble.errors import UsageError
from facedouble.store import files, keys
from facedouble.store.keys import Secret, new_identity, new_keyring, recipient_of
from facedouble.store.log import KEY_ADDED, KEY_REMOVED, KEYS_ROTATED
from facedouble.store.project import Project, holder_facts


def add(project: Project, holder: str, secret: Secret) -> None:
    """Let somebody else open the project, with a key of their own; everything in it, also what is older."""
    keys.check_label(holder)
    if holder in project.log.holders:
        raise UsageError(f"{holder} holds a key already; remove it first, or choose another name")
    made = new_keyring(holder, project.keyring.identities)
    with project.change(KEY_ADDED, holder_facts(made, secret.kind)):
        keys.save(project.folder / "keys", made, secret)


def remove(project: Project, holder: str) -> None:
    """Take a holder's key away. What comes from now on is encrypted to a new key, which they do not get.

    What they could read before they may have copied; nothing takes that back.
    """
    if holder not in project.log.holders:
        raise UsageError(f"{holder} holds no key of this project; `facedouble keys list` says who does")
    if holder == project.keyring.holder:
        raise UsageError("you cannot remove your own key: another holder has to, so that somebody can still open the project")
    _renew(project, KEY_REMOVED, {"holder": holder, "key": project.log.holders[holder].key}, set(project.log.holders) - {holder})
    for path in (project.folder / "keys").glob(f"{holder}.*"):
        path.unlink()
    files.sync(project.folder / "keys")


def rotate(project: Project) -> None:
    """Encrypt what comes from now on to a new key of the same holders."""
    _renew(project, KEYS_ROTATED, {}, project.log.holders)


def _renew(project: Project, event: str, facts: dict[str, str], staying: Iterable[str]) -> None:
    """The new key reaches each holder before anything is encrypted to it, through a file that only they can open."""
    fresh = new_identity()
    identities = (fresh, *project.keyring.identities)
    with project.change(event, {**facts, "recipient": recipient_of(fresh)}, recipient=recipient_of(fresh)):
        for name in staying:
            keys.hand_down(project.folder / "keys", name, project.log.holders[name].own, identities)
    project.keyring = replace(project.keyring, identities=identities)
    project.tell()


def missing(project: Project) -> list[str]:
    """Holders whose key file is not there."""
    return [name for name in project.log.holders if not os.path.exists(project.folder / "keys" / f"{name}.age")]
