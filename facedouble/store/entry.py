"""One entry of the log: what it says, as one canonical line of JSON, and who signed it."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facedouble.errors import StoreError
from facedouble.store.keys import Keyring, signed

FORMAT: Final = 1
START: Final = "0" * 64  # what the first entry names as the one before it
EVENT: Final = re.compile(r"[a-z][a-z ]{0,39}")
FACT: Final = re.compile(r"[A-Za-z0-9._:=+-]{0,200}")  # ids, hashes, numbers, dates: nothing that a name or a path would pass
KEYS: Final = {"format", "n", "prev", "wall", "mono", "boot", "actor", "key", "event", "facts", "registry", "index"}

Fact = str | int | bool | None | Sequence[str] | Sequence[int]
Facts = Mapping[str, Fact]


@dataclass(frozen=True)
class Entry:
    """What happened. registry: generation and SHA-256 of its file, generation 0 where there is none (a field laptop)."""

    n: int
    prev: str
    wall: dt.datetime
    mono: int
    boot: str
    actor: str
    key: str
    event: str
    facts: Mapping[str, Any]
    generation: int
    registry: str
    index: int | None
    second: str | None  # the other key holder who signed it
    digest: str  # SHA-256 of the entry's file: what the next one names


def boot_id() -> str:
    """Which run of the machine this is: a hash, so that it tells nothing elsewhere."""
    return hashlib.sha256(Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()).hexdigest()[:16]


def check_facts(event: str, facts: Facts) -> None:
    """ValueError for what must not stand in a log: anything but ids, hashes and numbers."""
    if not EVENT.fullmatch(event):
        raise ValueError(f"{event!r} is no event")
    for name, value in facts.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            if not (one is None or isinstance(one, int) or (isinstance(one, str) and FACT.fullmatch(one))):
                raise ValueError(f"the log keeps ids, hashes and numbers only, and {name} is none of these")


def compose(n: int, prev: str, keyring: Keyring, event: str, facts: Facts, registry: tuple[int, str],
            index: int | None, second: Keyring | None = None) -> bytes:
    """The plaintext of an entry's file: the text, and the signatures over it."""
    check_facts(event, facts)
    wall = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    mono = time.clock_gettime_ns(time.CLOCK_BOOTTIME)  # goes on while the machine sleeps
    text = canonical({"format": FORMAT, "n": n, "prev": prev, "wall": wall, "mono": mono, "boot": boot_id(),
                      "actor": keyring.holder, "key": keyring.public, "event": event, "facts": dict(facts),
                      "registry": {"generation": registry[0], "sha256": registry[1]}, "index": index})
    made: dict[str, Any] = {"entry": text, "signature": _signature(keyring, text)}
    if second is not None:
        made["second"] = {"holder": second.holder, "signature": _signature(second, text)}
    return canonical(made).encode()


def canonical(value: Any) -> str:
    """One spelling for each value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _signature(keyring: Keyring, text: str) -> str:
    return base64.b64encode(keyring.sign(text.encode())).decode()


def parse(data: bytes, digest: str, holders: Mapping[str, str], where: str) -> Entry:
    """Read an entry; StoreError unless it is signed by the keys that these holders have.

    holders: name -> public signing key; the first entry of a log brings its own.
    """
    try:
        made = json.loads(data)
        text = made["entry"]
        said = json.loads(text)
        if set(said) != KEYS or said["format"] != FORMAT or canonical(said) != text:
            raise ValueError("not in the form that facedouble writes")
        entry = Entry(int(said["n"]), str(said["prev"]), dt.datetime.fromisoformat(said["wall"]), int(said["mono"]),
                      str(said["boot"]), str(said["actor"]), str(said["key"]), str(said["event"]), dict(said["facts"]),
                      int(said["registry"]["generation"]), str(said["registry"]["sha256"]), said["index"],
                      made["second"]["holder"] if "second" in made else None, digest)
        known = holders or {entry.actor: str(said["facts"]["key"])}
        _check(text, entry.actor, made["signature"], known)
        if known[entry.actor] != entry.key:
            raise ValueError("it names another key than its own")
        if entry.second is not None:
            if entry.second == entry.actor:
                raise ValueError("one holder signed it twice")
            _check(text, entry.second, made["second"]["signature"], known)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(f"{where}: the log is broken here ({_said(error)}); keep the project as it is, and compare it with a "
                         "copy") from error
    return entry


def _check(text: str, holder: str, signature: str, holders: Mapping[str, str]) -> None:
    if holder not in holders:
        raise ValueError("signed by somebody who held no key then")
    if not signed(holders[holder], base64.b64decode(signature, validate=True), text.encode()):
        raise ValueError("its signature does not fit")


def _said(error: Exception) -> str:
    return str(error) if type(error) is ValueError else "it cannot be read"
