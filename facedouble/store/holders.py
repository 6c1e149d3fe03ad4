"""Key holders come and go: each act is an entry of the log, and one that takes a key away gives the project a new one."""

from __future__ import annotations

import os
from dataclasses import replace

from facedouble.age.sealing import generate
from facedouble.errors import UsageError
from facedouble.store import keys
from facedouble.store.keys import Secret, new_keyring
from facedouble.store.log import KEY_ADDED, KEY_REMOVED, KEYS_ROTATED
from facedouble.store.project import Project, holder_facts


def add(project: Project, holder: str, secret: Secret) -> None:
    """Let somebody else open the project, with a key of their own; everything in it, also what is older."""
    made = new_keyring(holder)
    with project.change(KEY_ADDED, holder_facts(made, secret.kind)):
        if holder in project.log.holders:
            raise UsageError(f"{holder} holds a key already; remove it first, or choose another name")
        keys.save(project.folder / "keys", replace(made, identities=project.keyring.identities), secret)


def remove(project: Project, holder: str) -> None:
    """Take a holder's key away. What comes from now on is encrypted to a new key, which they do not get.

    What they could read before they may have copied; nothing takes that back.
    """
    if holder == project.keyring.holder:
        raise UsageError("you cannot remove your own key: another holder has to, so that somebody can still open the project")
    _renew(project, KEY_REMOVED, holder)


def rotate(project: Project) -> None:
    """Encrypt what comes from now on to a new key of the same holders."""
    _renew(project, KEYS_ROTATED)


def _renew(project: Project, event: str, leaving: str | None = None) -> None:
    """The new key reaches each holder before anything is encrypted to it, through a file that only they can open.

    Who they are, and which keys there were, is read inside the change: somebody else may have changed both a moment ago. Nobody
    works in the project meanwhile: a run goes on writing to the key that it began with.
    """
    fresh, recipient = generate()
    facts = {"recipient": recipient}
    with project.working(), project.change(event, facts, recipient=recipient):
        staying = dict(project.log.holders)
        if leaving is not None:
            if leaving not in staying:
                raise UsageError(f"{leaving} holds no key of this project; `facedouble keys list` says who does")
            facts.update(holder=leaving, key=staying.pop(leaving).key)
        identities = (fresh, *project.keyring.identities)
        for name, holder in staying.items():
            keys.hand_down(project.folder / "keys", name, holder.own, identities)
        project.keyring = replace(project.keyring, identities=identities)


def missing(project: Project) -> list[str]:
    """Holders whose key file is not there."""
    return [name for name in project.log.holders if not os.path.exists(project.folder / "keys" / f"{name}.age")]
