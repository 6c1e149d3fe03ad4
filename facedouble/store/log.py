"""The log: entries that name the one before them, signed, each in a file of its own that is never written again."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from facedouble.age.sealing import seal
from facedouble.errors import StoreError
from facedouble.store import files
from facedouble.store.entry import START, Entry, Facts, compose, parse
from facedouble.store.keys import Keyring

CREATED: Final = "created"
KEY_ADDED: Final = "key added"
KEY_REMOVED: Final = "key removed"
KEYS_ROTATED: Final = "keys rotated"
RECOVERED: Final = "recovered"
MACHINE: Final = "machine accepted"
BY_TWO: Final = frozenset({RECOVERED, MACHINE})  # these count only if a second key holder signed them
KEEP: Final = "keep the project as it is, and compare it with a copy"
NAME: Final = re.compile(r"([0-9]{8})\.age")
HEAD_WORDS: Final = 8  # of 11 bits each


@dataclass(frozen=True)
class Holder:
    """A key holder as the log knows them. key: public signing key, hex; own: their own age recipient; kind: how they unlock."""

    key: str
    own: str
    kind: str
    since: dt.datetime


@dataclass(frozen=True)
class Log:
    """Every entry, each checked, and what follows from them. recipients: what files were encrypted to, the newest first."""

    entries: tuple[Entry, ...] = ()
    holders: Mapping[str, Holder] = field(default_factory=lambda: MappingProxyType({}))
    recipients: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def recipient(self) -> str:
        """What files are encrypted to; nothing if there is no entry yet."""
        return self.recipients[0] if self.recipients else ""

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.entries)

    @property
    def head(self) -> str:
        """SHA-256 of the last entry's file."""
        return self.entries[-1].digest if self.entries else START

    @property
    def last(self) -> Entry:
        """The newest."""
        return self.entries[-1]


def read(folder: Path, keyring: Keyring, known: Log | None = None) -> Log:
    """Read and check the log, or what came after a known part of it; StoreError says which entry is broken, and how."""
    log = known or Log()
    if log.n and digest(folder, log.n) != log.head:
        raise StoreError(f"{path(folder, log.n)}: the log was altered while it was open; {KEEP}")
    for n in _numbers(folder):
        if n > log.n:
            log = _with(log, _entry(folder, n, log, keyring))
    if not log.n:
        raise StoreError(f"{folder}: the log has no entry; it was removed, or this is no project: put it back from a copy")
    return log


def _numbers(folder: Path) -> Iterator[int]:
    try:
        found = sorted(int(m[1]) for m in (NAME.fullmatch(p.name) for p in folder.iterdir()) if m)
    except OSError as error:
        raise StoreError(f"{folder}: the log cannot be read ({error.strerror}); is the disk there?") from error
    for place, n in enumerate(found, 1):
        if n != place:
            raise StoreError(f"{folder}: entry {place} of the log is missing; {KEEP}")
        yield n


def path(folder: Path, n: int) -> Path:
    """The file of an entry."""
    return folder / f"{n:08d}.age"


def _read(folder: Path, n: int) -> bytes:
    try:
        return path(folder, n).read_bytes()
    except OSError as error:
        raise StoreError(f"{path(folder, n)}: the log cannot be read ({error.strerror}); is the disk there?") from error


def digest(folder: Path, n: int) -> str:
    """SHA-256 of an entry's file."""
    return _digest(_read(folder, n))


def _digest(sealed: bytes) -> str:
    return hashlib.sha256(sealed).hexdigest()


def _entry(folder: Path, n: int, log: Log, keyring: Keyring) -> Entry:
    sealed, where = _read(folder, n), str(path(folder, n))
    try:
        data = keyring.unseal(sealed)
    except StoreError as error:
        raise StoreError(f"{where}: {error}") from error
    entry = parse(data, _digest(sealed), {name: h.key for name, h in log.holders.items()}, where)
    if entry.n != n or entry.prev != log.head or (entry.event == CREATED) is not (n == 1):
        raise StoreError(f"{where}: the log is broken here (it does not follow the entry before it); {KEEP}")
    if entry.event in BY_TWO and entry.second is None:
        raise StoreError(f"{where}: the log is broken here ({entry.event!r} needs a second key holder); {KEEP}")
    return entry


def _with(log: Log, entry: Entry) -> Log:
    """The log with one more entry, which was checked."""
    holders, facts = dict(log.holders), entry.facts
    recipients = log.recipients
    try:
        if entry.event in (CREATED, KEY_ADDED):
            holders[str(facts["holder"])] = Holder(str(facts["key"]), str(facts["own"]), str(facts["kind"]), entry.wall)
        if entry.event == KEY_REMOVED:
            del holders[str(facts["holder"])]
        if entry.event in (CREATED, KEY_REMOVED, KEYS_ROTATED):
            recipients = (str(facts["recipient"]), *recipients)
    except KeyError as error:
        raise StoreError(f"entry {entry.n}: the log is broken here (it changes keys, and does not say which); {KEEP}") from error
    return Log((*log.entries, entry), MappingProxyType(holders), recipients, (*log.notes, *_odd(log, entry)))


def _odd(log: Log, entry: Entry) -> Iterator[str]:
    """What is strange about the clock; it is told, and breaks nothing: the order is that of the numbers."""
    if not log.entries:
        return
    before = log.last
    if entry.wall < before.wall:
        yield f"entry {entry.n}: the clock went back, from {before.wall:%Y-%m-%d %H:%M} to {entry.wall:%Y-%m-%d %H:%M}"
    elif entry.boot == before.boot:
        told = (entry.wall - before.wall).total_seconds()
        passed = (entry.mono - before.mono) / 1e9
        if told - passed > 3600:
            yield f"entry {entry.n}: the clock was put forward, by about {round((told - passed) / 3600)} h"


def append(folder: Path, log: Log, keyring: Keyring, event: str, facts: Facts, registry: tuple[int, str],
           index: int | None = None, second: Keyring | None = None, recipient: str | None = None) -> Log:
    """Write the next entry: that is what commits a change. The caller holds the project's lock."""
    data = compose(log.n + 1, log.head, keyring, event, facts, registry, index, second)
    sealed = seal(data, (recipient or log.recipient,))
    entry = parse(data, _digest(sealed), {name: h.key for name, h in log.holders.items()}, "the new entry")
    if event in BY_TWO and second is None:
        raise ValueError(f"{event} needs a second key holder")
    grown = _with(log, entry)
    files.write(path(folder, entry.n), sealed, fresh=True)
    return grown


def append_blind(folder: Path, keyring: Keyring, recipient: str, event: str, facts: Facts,
                 index: int | None = None) -> tuple[int, str]:
    """The same on a field laptop, which can read nothing: the chain is over what lies on the disk. Its number and digest."""
    n = sum(1 for _ in _numbers(folder))
    prev = digest(folder, n) if n else START
    sealed = seal(compose(n + 1, prev, keyring, event, facts, (0, START), index), (recipient,))
    files.write(path(folder, n + 1), sealed, fresh=True)
    return n + 1, _digest(sealed)


def blind_head(folder: Path) -> tuple[int, str]:
    """How many entries there are, and the digest of the last, without reading any."""
    n = sum(1 for _ in _numbers(folder))
    return n, digest(folder, n) if n else START


def words(head: str) -> str:
    """A head for paper: its first 88 bits, as eight words."""
    number, listed = int(head[:22], 16), _listed()
    return " ".join(listed[number >> 11 * k & 2047] for k in reversed(range(HEAD_WORDS)))


@lru_cache(maxsize=1)
def _listed() -> tuple[str, ...]:
    """The 2048 words of BIP-39."""
    from mnemonic import Mnemonic

    return tuple(Mnemonic("english").wordlist)


def entry_of(log: Log, on_paper: str) -> Entry:
    """The entry whose head somebody wrote down; StoreError if there is none: the log is not the one they saw."""
    wanted = " ".join(on_paper.lower().split())
    for entry in reversed(log.entries):
        if words(entry.digest) == wanted:
            return entry
    if len(wanted.split()) != HEAD_WORDS:
        raise StoreError(f"on paper there have to be {HEAD_WORDS} words; look again")
    raise StoreError("no entry of this log has these words: they were written down wrongly, or the project was rolled back or "
                     "replaced since; keep it as it is, and look for another copy")
