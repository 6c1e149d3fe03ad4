"""A project: a folder whose contents are encrypted, whose every change is an entry of its log."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import apsw

from facedouble.age.sealing import recipient_of
from facedouble.errors import StoreError
from facedouble.store import evidence, files, keys, log, registry, remembered, schemas, settings
from facedouble.store.entry import START, Facts, check_facts
from facedouble.store.keys import Keyring, Secret
from facedouble.store.log import Log
from facedouble.store.settings import Settings
from facedouble.store.vault import Keys, Vault, generation_at

SCHEMAS: Final[tuple[str, ...]] = schemas.ALL  # the tables of each module that keeps something in the registry
FOLDERS: Final = ("keys", "log", "registry", "blobs")
WAIT_S: Final = 10.0  # for another process's change, which takes milliseconds


class Project:
    """An open project. `create`, `create_field` and `Project.open` make it; it is read as of the last change or `refresh`."""

    def __init__(self, folder: Path, said: Settings, keyring: Keyring, known: Log, writable: bool) -> None:
        self.folder, self.settings, self.keyring, self.log, self.writable = folder, said, keyring, known, writable
        self._db: apsw.Connection | None = None
        self._changing = False

    @classmethod
    def open(cls, folder: Path, keyring: Keyring | None, write: bool = True) -> Project:
        """Open it with a key, or a field project without one; StoreError if it was altered, rolled back, or is none.

        write: False for a look that leaves the folder as it is.
        """
        return cls._open(folder, keyring, write, seen=True)

    @classmethod
    def _open(cls, folder: Path, keyring: Keyring | None, write: bool, seen: bool) -> Project:
        said = settings.read(folder)
        if keyring is None and said.profile != "field":
            raise StoreError(f"{folder}: is locked; `facedouble unlock {folder}` first")
        made = cls(folder, said, keyring or keys.load_field(folder / "keys"), Log(), write)
        with files.locked(folder / "lock", not write, WAIT_S, "is writing in"):
            made._read(seen)
            if write and seen:
                made._tidy()
        return made

    @property
    def id(self) -> str:
        """16 hex digits."""
        return self.settings.id

    @property
    def recipient(self) -> str:
        """What new files are encrypted to. The log says it, because anybody can write into the plain page."""
        return self.log.recipient or self.settings.recipient

    @property
    def db(self) -> apsw.Connection:
        """The registry, to be read; it is written inside `change` only."""
        if self._db is None:
            raise StoreError(f"{self.folder}: is a field project, which takes footage in and reads nothing; take it to where the "
                             "key is")
        return self._db

    @property
    def blind(self) -> bool:
        """Whether this is a field laptop, without a key to read with."""
        return not self.keyring.identities

    def vault(self) -> Vault:
        """The files of the project; StoreError if their table was altered, or is older than the log says."""
        return Vault(Keys(self.folder, self.recipient, self.keyring.identities, self.log.last.index or 0),
                     partial(self._kept, self.recipient))

    def _kept(self, recipient: str) -> set[str]:
        """The blobs of what was handed over, as the registry on the disk says; others may have changed it since it was read.

        recipient: what new files are to be encrypted to; StoreError if that is another one by now.
        """
        if self._changing:
            return evidence.blob_ids(evidence.items(self.db))
        with Project(self.folder, self.settings, self.keyring, self.log, False) as now:
            now.refresh()
            if now.recipient != recipient:
                raise StoreError(f"{self.folder}: its keys were changed since this command began, and it would write to the old "
                                 "one; start it again")
            return evidence.blob_ids(evidence.items(now.db))

    @contextmanager
    def change(self, event: str, facts: Facts, second: Keyring | None = None, index: int | None = None,
               recipient: str | None = None) -> Iterator[apsw.Connection]:
        """Change the registry and enter that into the log: both or neither, whenever the machine stops.

        event and facts go into the log: ids, hashes and numbers only; the body may still add facts. second: another key holder
        who signs too. index: the file table that holds from now on; without it, the one that is mounted. recipient: what files
        are encrypted to from now on.
        """
        check_facts(event, facts)
        db, index = self.db, generation_at(self.folder) if index is None else index
        with self._writing(seen=event != log.RECOVERED):
            before, known = db.serialize("main"), self.log
            try:
                db.execute("PRAGMA query_only=off")
                with db:
                    yield db
                self._commit(event, facts, second, index, recipient or self.recipient)
            except BaseException:
                registry.fill(db, before, SCHEMAS)
                self.log = known  # should the entry be there, the next reading finds it
                raise
            db.execute("PRAGMA query_only=on")

    def record(self, event: str, facts: Facts, second: Keyring | None = None, index: int | None = None) -> None:
        """Enter something into the log that changes nothing in the registry; a field laptop can."""
        if not self.blind:
            with self.change(event, facts, second, index):
                pass
            return
        check_facts(event, facts)
        with self._writing():
            head = log.append_blind(self.folder / "log", self.keyring, self.settings.recipient, event, facts, index)
            remembered.remember(self.id, head)

    def refresh(self) -> None:
        """Read what others have changed since."""
        if not self.blind:
            with files.locked(self.folder / "lock", True, WAIT_S, "is writing in"):
                self._read(seen=True)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold the project for a long run; StoreError says who has it, should there be another."""
        with files.locked(self.folder / "work.lock", doing="works in"):
            yield

    def close(self) -> None:
        """Forget what was read."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _writing(self, seen: bool = True) -> Iterator[None]:
        if not self.writable:
            raise StoreError(f"{self.folder}: was opened to be looked at only; open it again to change it")
        if self._changing:
            raise ValueError("a change inside a change")
        with files.locked(self.folder / "lock", wait_s=WAIT_S, doing="is writing in"):
            self._changing = True
            try:
                self._read(seen)
                self._tidy()
                yield
            finally:
                self._changing = False

    def _commit(self, event: str, facts: Facts, second: Keyring | None, index: int | None, recipient: str) -> None:
        place, n = self.folder / "registry", self.log.n + 1
        index = max((i for i in (index, self.log.last.index) if i is not None), default=None)  # others may have noted a later one
        named = registry.write(place, self.db, self.log.last.generation + 1, n, self.log.head, recipient)
        try:
            self.log = log.append(self.folder / "log", self.log, self.keyring, event, facts, named, index, second, recipient)
        except BaseException:
            if not log.path(self.folder / "log", n).exists():
                registry.path_of(place, named[0]).unlink(missing_ok=True)
            raise
        remembered.remember(self.id, (self.log.n, self.log.head))
        with suppress(OSError, StoreError):  # the change is made; the next writer does what is left
            self._settle()

    def _read(self, seen: bool) -> None:
        """Bring log and registry up to what is on the disk. seen: compare with what this machine saw earlier."""
        if self.blind:
            remembered.check_blind(self.id, log.blind_head(self.folder / "log"), lambda n: log.digest(self.folder / "log", n))
            return
        keyring = keys.completed(self.folder / "keys", self.keyring)
        known = log.read(self.folder / "log", keyring, self.log if self.log.n else None)
        self.keyring = keyring.only(known.recipients)
        self._check(known)
        if seen:
            remembered.check(self.id, known)
        if self.settings.profile == "full" and (self._db is None or known.n > self.log.n):
            data = registry.read(self.folder / "registry", known.last, self.keyring)
            self._db = self._db or registry.memory()
            registry.fill(self._db, data, SCHEMAS)
            registry.check(self._db, known.last)
        new, self.log = known.n > self.log.n, known
        if seen and new:
            remembered.remember(self.id, (known.n, known.head))

    def _check(self, known: Log) -> None:
        """StoreError if the plain page does not say what the log says."""
        first, said = known.entries[0].facts, self.settings
        mine = known.holders.get(self.keyring.holder)
        if self.settings.profile == "full" and (mine is None or mine.key != self.keyring.public):
            raise StoreError(f"{self.folder / 'log'}: does not know the key of {self.keyring.holder}, so others wrote it; take "
                             "the project from a copy. If another holder removed the key, ask them")
        same = (first.get("project"), first.get("profile"), first.get("machine")) == (said.id, said.profile, said.machine)
        if not same or not {said.recipient, known.recipient} <= set(self.keyring.recipients):  # a crash may leave an older one
            raise StoreError(f"{self.folder / settings.NAME}: does not say what the log says, somebody altered it; take it from "
                             "a copy of the project")

    def _tidy(self) -> None:
        """Remove what a crash left half-written, and finish what it left undone. The caller holds the lock."""
        if self.settings.profile != "full":
            files.tidy(self.folder / "log")
            return
        for name in ("log", "registry", "keys"):
            files.tidy(self.folder / name)
        files.tidy(self.folder, settings.NAME)  # what else is there belongs to who holds the work lock
        self._settle()

    def _settle(self) -> None:
        """Bring what lies beside the log up to what it says: no older registry, no key of nobody, the recipient."""
        registry.keep_only(self.folder / "registry", self.log.last.generation)
        keys.keep_only(self.folder / "keys", self.log.holders)
        if self.settings.recipient != self.log.recipient:
            self.settings = replace(self.settings, recipient=self.log.recipient)
            settings.write(self.folder, self.settings)


def create(folder: Path, holder: str, secret: Secret, machine: str = "strict") -> Project:
    """Make a project with its first key holder; StoreError if the folder holds something already."""
    keyring = keys.new_keyring(holder)
    said = Settings(secrets.token_hex(8), recipient_of(keyring.identities[0]), "full", machine)
    with _new(folder) as place:
        keys.save(place / "keys", keyring, secret)
        db = registry.memory()
        registry.fill(db, b"", SCHEMAS)
        named = registry.write(place / "registry", db, 1, 1, START, said.recipient)
        db.close()
        facts = {"project": said.id, "profile": said.profile, "machine": machine, "recipient": said.recipient,
                 **holder_facts(keyring, secret.kind)}
        log.append(place / "log", Log(), keyring, log.CREATED, facts, named, recipient=said.recipient)
        settings.write(place, said)
    return Project.open(folder, keyring)


def create_field(folder: Path, recipient: str, machine: str = "warn") -> Project:
    """Make a field project: it takes footage in, encrypted to a key that is not here, and can read none of it."""
    keyring = Keyring(keys.FIELD, (), secrets.token_bytes(32))
    said = Settings(secrets.token_hex(8), recipient, "field", machine)
    with _new(folder) as place:
        keys.save_field(place / "keys", keyring)
        facts = {"project": said.id, "profile": said.profile, "machine": machine, "recipient": recipient,
                 "holder": keys.FIELD, "key": keyring.public, "own": "", "kind": "field"}
        log.append_blind(place / "log", keyring, recipient, log.CREATED, facts)
        settings.write(place, said)
    remembered.remember(said.id, log.blind_head(folder / "log"))
    return Project.open(folder, None)


def holder_facts(keyring: Keyring, kind: str) -> dict[str, str]:
    """What the log keeps about a key holder."""
    return {"holder": keyring.holder, "key": keyring.public, "own": recipient_of(keyring.own), "kind": kind}


def check_free(folder: Path) -> None:
    """StoreError unless a project can be made there: nothing has that name, or it is an empty folder."""
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise StoreError(f"{folder}: exists already; choose another name, or an empty folder")


@contextmanager
def _new(folder: Path) -> Iterator[Path]:
    """A folder that gets its name when it is whole."""
    check_free(folder)
    part = folder.absolute().with_name(f".{folder.absolute().name}.{os.getpid()}{files.PART}")
    try:
        part.mkdir(mode=0o700)
        for name in FOLDERS:
            (part / name).mkdir(mode=0o700)
        for name in ("lock", "work.lock"):
            files.write(part / name, b"")
        yield part
        os.replace(part, folder)
        files.sync(folder.absolute().parent)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made ({error.strerror}); choose another place") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def older(folder: Path, keyring: Keyring) -> Project:
    """Open a project that may be older than what this machine saw of it. Nothing can be changed in it before `recover`."""
    return Project._open(folder, keyring, True, seen=False)


def recover(project: Project, second: Keyring) -> None:
    """Accept a project that is `older`, by the word of two key holders; it stays in the log."""
    lost = remembered.recall(project.id)
    try:
        remembered.check(project.id, project.log)
    except StoreError:
        assert lost is not None
        project.record(log.RECOVERED, {"n": lost[0], "head": lost[1]}, second)
        return
    raise StoreError(f"{project.folder}: is not older than what this machine saw; there is nothing to accept")
