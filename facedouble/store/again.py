"""Encrypt everything once more, to the project's newest key: for what a holder who was removed has not copied yet."""

from __future__ import annotations

from collections.abc import Callable

from facedouble.store.project import Project
from facedouble.store.vault import BLOCK, ORIGINALS, Keys, Vault


def encrypt_again(project: Project, done: Callable[[int, int], object]) -> int:
    """Write each file anew and take the old one away, one after the other; how many. Whenever it stops, all of them can be read.

    The files of the log stay as they are: the log is never written again. done: how many, of how many.
    """
    with_keys = Keys(project.folder, project.recipient, project.keyring.identities)
    vault = with_keys.open()
    try:
        vault.hold()
        names: dict[str, list[str]] = {}
        for name in vault.names():
            names.setdefault(vault.blob(name).id, []).append(name)
        for count, (old, called) in enumerate(names.items(), 1):
            _again(vault, old, called)
            done(count, len(names))
        return len(names)
    finally:
        vault.close()


def _again(vault: Vault, old: str, called: list[str]) -> None:
    with vault.open(called[0]) as source, vault.blobs.new() as out:
        while block := source.read(BLOCK):
            out.write(block)
        blob = out.commit()
    for name in called:
        vault.keep(name, blob)
    if any(name.startswith(ORIGINALS) for name in called):
        vault.blobs.protect(blob.id)
    vault.blobs.remove(old)
