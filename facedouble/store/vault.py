"""The files of a project: names in an encrypted table, contents in blobs with random names. A `disk.Place`.

The table, `index.age`, is rewritten whole at every change, and takes its place by a rename: after a crash, a file is as it was or
as it became. A blob is bound to its entry by the MAC of its header, so that one put in another's place is noticed.

What goes. A blob stays hidden until the table, or the manifest of what was handed over, names it; and the table that names it no
more says that it is `gone` before it goes. So whoever works next finishes what a crash left, and of somebody who withdrew nothing
stays. A whole blob of which neither is said is not taken away by anybody: an older table, or none, costs no file. `log verify`
tells of it.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from facedouble import disk
from facedouble.age.errors import NoKeyFits
from facedouble.age.sealing import seal, unseal
from facedouble.errors import StoreError
from facedouble.store import files
from facedouble.store.blobs import Blob, Blobs
from facedouble.store.scratch import Scratch

INDEX: Final = "index.age"
LOCK: Final = "work.lock"
FORMAT: Final = 1
BLOCK: Final = 1 << 20  # bytes copied at a time
ORIGINALS: Final = "footage/"


@dataclass(frozen=True)
class Table:
    """What is in a project, and how often that has changed. gone: blobs that it named, and that a crash may have left."""

    generation: int
    files: Mapping[str, Blob]
    gone: frozenset[str] = frozenset()

    @property
    def ids(self) -> frozenset[str]:
        """The blobs that it names."""
        return frozenset(blob.id for blob in self.files.values())


@dataclass(frozen=True)
class Keys:
    """What opens the files of a project, and what closes them. identities: `AGE-SECRET-KEY-1…`, the newest first.

    least: how often the table of files has changed at least, as the log says.
    """

    folder: Path
    recipient: str
    identities: tuple[str, ...]
    least: int = 0

    def __repr__(self) -> str:
        return f"Keys({self.folder.name})"

    def open(self) -> Vault:
        """The vault, in this process or in another."""
        return Vault(self)


def table_of(keys: Keys, least: int = 0) -> Table:
    """Read a project's table of files; an empty one if there is none yet. StoreError if it was altered, or was newer already.

    least: how often it has changed at least, as whoever asks has seen, beside what the log says.
    """
    path = keys.folder / INDEX
    try:
        found = _opened(path.read_bytes(), keys.identities)
    except FileNotFoundError:
        found = Table(0, {})
    except NoKeyFits as error:
        raise StoreError(f"{path}: the project's table of files opens with none of the keys that this command has; if keys "
                         "were changed since it began, start it again, else put back a copy of the whole project") from error
    except (StoreError, OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: the project's table of files cannot be read; put back a copy of the whole project") from error
    if found.generation < max(least, keys.least):
        raise StoreError(f"{keys.folder}: its table of files is older than its log, or than it was a moment ago; somebody put an "
                         "earlier one back: take the project from a copy, and look at `facedouble log verify`")
    return found


def _opened(sealed: bytes, identities: tuple[str, ...]) -> Table:
    told, _, text = unseal(sealed, identities).partition(b"\n")
    if not any(hmac.compare_digest(told, _seal_of(text, identity)) for identity in identities):
        raise ValueError("nobody with a key wrote it")
    held = json.loads(text)
    if held["format"] != FORMAT:
        raise ValueError("another format")
    files = {str(n): Blob(str(i), int(s), str(m)) for n, (i, s, m) in held["files"].items()}
    return Table(int(held["generation"]), files, frozenset(map(str, held.get("gone", ()))))


class Vault:
    """See the module. Reading needs no lock; the first change takes the project's work lock, and keeps it.

    kept: asked which blobs are named elsewhere, in the manifest of what was handed over. Only with it, what a crash left goes as
    that lock is taken, and a table that is gone is told from one that was never written.
    """

    def __init__(self, keys: Keys, kept: Callable[[], Collection[str]] | None = None) -> None:
        self.keys, self._kept = keys, kept
        self.blobs = Blobs(keys.folder / "blobs", (keys.recipient,), keys.identities)
        self._lock: int | None = None
        self._table, self._stamp = Table(0, {}), (-1, -1)
        self._fresh()

    # disk.Place

    def open(self, name: str) -> BinaryIO:
        """The contents, to be read anywhere."""
        return self.blobs.open(self._blob(name))

    def lend(self, name: str) -> disk.Lent:
        """A descriptor and the key of this file alone."""
        return self.blobs.lend(self._blob(name))

    def draft(self, name: str, replace: bool) -> Draft:
        """A new file, which is there after its commit."""
        _changeable(name)
        self._work()
        if not replace and name in self._table.files:
            raise StoreError(f"{name}: exists already in the project; choose another name")
        return Draft(self, _checked(name), replace)

    def drop(self, draft: Any) -> None:
        """Take away what was not committed."""
        draft.drop()

    def size(self, name: str) -> int:
        """Bytes of the contents."""
        return self._blob(name).size

    def stamp(self, name: str) -> str:
        """By what these contents are told from others."""
        return self._blob(name).mac

    def names(self) -> list[str]:
        """All files, sorted."""
        self._fresh()
        return sorted(self._table.files)

    def remove(self, name: str) -> None:
        """Take a file away. Its bytes stay on the disk until that is used again: who has the key may find them."""
        _changeable(name)
        self._work()
        blob = self._blob(name)
        self._put({n: b for n, b in self._table.files.items() if n != name})
        self._unused(blob)

    def link(self, old: str, new: str, replace: bool) -> None:
        """A second name."""
        _changeable(new)
        self._work()
        if not replace and new in self._table.files:
            raise FileExistsError(17, "exists already", new)
        before = self._table.files.get(new)
        self._put({**self._table.files, _checked(new): self._blob(old)})
        if before is not None:
            self._unused(before)

    def ticket(self) -> Keys:
        """With what a child process opens the same vault; it holds keys, so it goes through a pipe only."""
        return self.keys

    # the rest

    @property
    def generation(self) -> int:
        """How often the table has changed."""
        self._fresh()
        return self._table.generation

    def keep(self, name: str, blob: Blob) -> None:
        """Enter a blob that is there already: an original, under `ORIGINALS`, which nothing replaces or removes."""
        self._work()
        self._put({**self._table.files, _checked(name): blob})

    def hold(self) -> None:
        """Be the one who changes files, from here on; StoreError if another run is."""
        self._work()

    def clear(self, kept: Collection[str]) -> None:
        """Take away what a crash left, unless it is named by the table or is one of these. Only who holds the project may."""
        known = {*kept, *self._table.ids}
        self.blobs.settle(known)
        for id in self._table.gone - known:
            with suppress(StoreError):
                self.blobs.remove(id)

    def leave(self, id: str) -> None:
        """Say that a blob goes as soon as nothing names it, whatever happens before."""
        self._work()
        self._put(self._table.files, id)

    def unnamed(self) -> list[str]:
        """Whole blobs that are named nowhere, and that nobody said are to go."""
        there = self.blobs.ids()  # first: what becomes whole later was named before
        self._fresh()
        known = {*self._table.ids, *self._table.gone, *(self._kept() if there and self._kept is not None else ())}
        return [id for id in there if id not in known]

    def blob(self, name: str) -> Blob:
        """What holds a file's contents."""
        return self._blob(name)

    def close(self) -> None:
        """Let go of the lock."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _blob(self, name: str) -> Blob:
        found = self._table.files.get(name)
        if found is None:
            self._fresh()
            found = self._table.files.get(name)
        if found is None:
            raise FileNotFoundError(2, "there is no such file in the project", name)
        return found

    def _fresh(self) -> None:
        """Read the table again if another process changed it."""
        if self._lock is not None:
            return
        try:
            held = os.stat(self.keys.folder / INDEX)
            stamp = held.st_mtime_ns, held.st_ino
        except FileNotFoundError:
            stamp = 0, 0
        if stamp != self._stamp:
            if stamp == (0, 0) and self._lost():
                raise StoreError(f"{self.keys.folder}: its table of files, {INDEX}, is gone, and files that it named are there; "
                                 "put it back from a copy of the project, nothing was changed")
            self._table, self._stamp = table_of(self.keys, self._table.generation), stamp

    def _lost(self) -> bool:
        """Whether there is no table, and something whole that only a table can have named."""
        if self._kept is None or self._table.generation or not (there := set(self.blobs.ids())):
            return False
        return not there <= set(self._kept()) and not (self.keys.folder / INDEX).exists()  # another may have written the first

    def _work(self) -> None:
        """Be the one who changes files, from here on."""
        if self._lock is not None:
            return
        lock = files.hold(self.keys.folder / LOCK, "works in")
        try:
            files.tidy(self.keys.folder, INDEX)
            self._fresh()
            if self._kept is not None:
                self.clear(self._kept())
        except BaseException:
            os.close(lock)
            raise
        self._lock = lock

    def _put(self, held: Mapping[str, Blob], *leaving: str) -> None:
        gone = {*self._table.gone, *self._table.ids, *leaving} - {blob.id for blob in held.values()}
        table = Table(self._table.generation + 1, dict(held), frozenset(id for id in gone if self.blobs.path(id).exists()))
        said = {"format": FORMAT, "generation": table.generation, "files": {n: [b.id, b.size, b.mac] for n, b in held.items()},
                "gone": sorted(table.gone)}
        text = json.dumps(said, sort_keys=True).encode()
        signed = _seal_of(text, self.keys.identities[0]) + b"\n" + text
        files.write(self.keys.folder / INDEX, seal(signed, (self.keys.recipient,)))
        self._table = table

    def _unused(self, blob: Blob) -> None:
        if blob.id not in self._table.ids:
            with suppress(StoreError):
                self.blobs.remove(blob.id)


class Draft:
    """A file of a vault on its way. It lies encrypted on the disk under a key that only this process knows."""

    def __init__(self, vault: Vault, name: str, replace: bool) -> None:
        self.vault, self.name, self.replace = vault, name, replace
        self._scratch = Scratch(vault.blobs.folder)

    def write(self, data: bytes, /) -> int:
        """Write where it stands."""
        return self._scratch.write(data)

    def read(self, size: int = -1, /) -> bytes:
        """Read from where it stands."""
        return self._scratch.read(size) or b""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go somewhere else in it."""
        return self._scratch.seek(offset, whence)

    def tell(self) -> int:
        """Where it stands."""
        return self._scratch.tell()

    def again(self) -> BinaryIO:
        """Another reading of what was written so far."""
        return self._scratch.again()  # type: ignore[return-value]

    def commit(self) -> None:
        """Put it into the vault."""
        vault = self.vault
        if not self.replace and self.name in vault._table.files:
            raise StoreError(f"{self.name}: appeared in the project meanwhile; nothing is overwritten")
        with self._scratch.again() as source, vault.blobs.new() as out:
            while block := source.read(BLOCK):
                out.write(block)
            blob = out.prepare()
            before = vault._table.files.get(self.name)
            vault._put({**vault._table.files, self.name: blob})
            out.publish()
        if before is not None:
            vault._unused(before)

    def drop(self) -> None:
        """Let go of the scratch space, and with it of what was not committed."""
        self._scratch.close()


def _seal_of(text: bytes, identity: str) -> bytes:
    """Only who has a key of the project can make it: to encrypt to the project, its recipient is enough, which is no secret.

    HMAC-SHA-256, hex, under a key derived from the identity.
    """
    key = hmac.digest(identity.encode(), b"facedouble table of files", "sha256")
    return hmac.digest(key, text, "sha256").hex().encode()


def generation_at(folder: Path) -> int | None:
    """How often the files of a mounted project have changed; None if none is mounted there."""
    at = disk.placed(folder / "any")
    return at[0].generation if at is not None and isinstance(at[0], Vault) else None


def _changeable(name: str) -> None:
    if name.startswith(ORIGINALS):
        raise StoreError(f"{name}: is footage as it was handed over; nothing changes or removes it")


def _checked(name: str) -> str:
    """A name inside a project; ValueError for one that leads out of it."""
    if not name or any(part in ("", ".", "..") for part in name.split("/")) or "\0" in name:
        raise ValueError(f"{name!r} is no name in a project")
    return name
