"""Evidence for a court or an archive: one sealed file, which `age`, `tar` and `sha256sum` open and check without this program."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io
import json
import os
import secrets
import tarfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from facedouble import __version__
from facedouble.age.sealing import Sealer
from facedouble.errors import FacedoubleError, InputRefused, StoreError
from facedouble.publish import name_new
from facedouble.store import evidence, log
from facedouble.store.evidence import Item
from facedouble.store.intake import BLOCK, Progress, blobs_of, quiet
from facedouble.store.project import Project
from facedouble.store.sealed import sealed

FORMAT: Final = 1
ORIGINALS: Final = "originals"
README: Final = """\
Evidence, exported by facedouble {version}.

  originals/       the files as they were handed over, bit for bit, under new names
  manifest.json    of each file: size, SHA-256, SHA-512/256, when it was added, and a salt
  log.json         what the project's log says of these files; and the SHA-256 of every entry of that log
  SHA256SUMS       of everything here but itself and the two files about the signature
  SHA256SUMS.sig   an Ed25519 signature over SHA256SUMS, 64 bytes, by the key in signer.pem

How to check it, with programs that every Linux has:

  sha256sum -c SHA256SUMS
  openssl pkeyutl -verify -pubin -inkey signer.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig

The log does not name a file by its hash, but by a commitment, made when the file was added: it is the SHA-256 of the salt and the
file's SHA-256, as in the manifest, one after the other:

  printf '%s%s' SALT SHA256 | sha256sum

That has to be the "commitment" of the entry in log.json. "signature" there is over the text of "entry", by the key that the entry
names. Each entry names the SHA-256 of the one before it; the first 88 bits of the last one's, as eight words, are its head:

  {words}

If somebody wrote these words on paper at the time, the log has not been rewritten since.

What this shows: these bytes are those that were added, and nobody changed them or the log since without the signing key. It does
not show who filmed them, when or where, or that they were not changed before they were added. The times are those of a computer's
clock. File names, and who handed the files over, were left out on purpose.
"""


def export(project: Project, out: Path, recipient: str | None = None, passphrase: str | None = None, only: Sequence[str] = (),
           progress: Progress = quiet) -> list[Item]:
    """Write originals, manifest, extract of the log and signature into one age file. It is there whole, or not at all.

    Before it gets its name the log says that these files went out, and who let them. only: ids; all if there are none.
    StoreError if a file is not what it was when it was added.
    """
    found = [i for i in evidence.items(project.db) if not only or i.id in only]
    missing = sorted(set(only) - {i.id for i in found})
    if missing or not found:
        raise InputRefused(f"{missing[0] if missing else project.folder}: is no evidence of this project; see "
                           "`facedouble evidence list`")
    if out.absolute().resolve().is_relative_to(project.folder.resolve()):
        raise StoreError(f"{out}: is inside the project; choose a place outside of it")
    if os.path.lexists(out):
        raise StoreError(f"{out}: exists already; choose another name")

    def fill(sealer: Sealer) -> None:
        with tarfile.open(fileobj=_Pipe(sealer), mode="w|", format=tarfile.PAX_FORMAT, bufsize=BLOCK) as tar:
            _fill(tar, project, found, progress)

    with sealed(out, [] if recipient is None else [recipient], passphrase, fill) as part:
        _named(project, part, out, found)
    return found


def _named(project: Project, part: Path, out: Path, found: Sequence[Item]) -> None:
    """First the log, then the name. Should it get none, the log says that, too."""
    id_ = f"exp-{secrets.token_hex(4)}"
    try:
        project.record("exported", {"export": id_, "files": [item.id for item in found]})
        name_new(part, out)
    except BaseException:
        with suppress(FacedoubleError):
            project.refresh()  # stopped in `record`, the entry may be there all the same
            if any(entry.facts.get("export") == id_ for entry in project.log.entries):
                project.record("export undone", {"export": id_})
        raise


class _Pipe(io.RawIOBase):
    """What tarfile writes into."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        return self._sealer.write(data)


def _fill(tar: tarfile.TarFile, project: Project, found: Sequence[Item], progress: Progress) -> None:
    blobs, total, done, sums = blobs_of(project), sum(i.blob.size for i in found), 0, {}
    for item in found:
        with blobs.open(item.blob) as source:
            hashed = _Hashed(source, lambda n, done=done: progress(done + n, total))
            tar.addfile(_member(_place(item), item.blob.size), hashed)
        if hashed.sha256.hexdigest() != item.sha256:
            raise StoreError(f"{item.id}: is not what it was when it was added; run `facedouble evidence verify`")
        sums[_place(item)] = item.sha256
        done += item.blob.size
    pages = {"manifest.json": _manifest(project, found), "log.json": _extract(project, found),
             "README.txt": README.format(version=__version__, words=log.words(project.log.head)).encode()}
    sums.update({name: hashlib.sha256(data).hexdigest() for name, data in pages.items()})
    pages["SHA256SUMS"] = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode()
    pages["SHA256SUMS.sig"] = project.keyring.sign(pages["SHA256SUMS"])
    pages["signer.pem"] = Ed25519PublicKey.from_public_bytes(bytes.fromhex(project.keyring.public)).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for name, data in pages.items():
        tar.addfile(_member(name, len(data)), io.BytesIO(data))


class _Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, source: BinaryIO, progress: Any) -> None:
        self.sha256, self._source, self._progress, self._done = hashlib.sha256(), source, progress, 0

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.sha256.update(data)
        self._done += len(data)
        self._progress(self._done)
        return data


def _member(name: str, size: int) -> tarfile.TarInfo:
    """Nobody's file, of no time."""
    made = tarfile.TarInfo(name)
    made.size, made.mode = size, 0o444
    return made


def _place(item: Item) -> str:
    suffix = Path(item.shelf).suffix.lower()
    return f"{ORIGINALS}/{item.id}{suffix}"


def _manifest(project: Project, found: Sequence[Item]) -> bytes:
    listed = [{"id": i.id, "file": _place(i), "kind": i.kind, "size": i.blob.size, "sha256": i.sha256, "sha512_256": i.sha512_256,
               "added": i.added, "by": i.by, "salt": i.salt, "commitment": i.commitment, "origin": i.origin} for i in found]
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return _page({"format": FORMAT, "project": project.id, "exported": now, "exported by": project.keyring.holder,
                  "program": f"facedouble {__version__}", "evidence": listed})


def _extract(project: Project, found: Sequence[Item]) -> bytes:
    """The entries about these files as they were signed, and the chain that they stand in."""
    wanted, said = {i.id for i in found}, []
    for entry in project.log.entries:
        if entry.facts.get("evidence") in wanted:
            sealed = log.path(project.folder / "log", entry.n).read_bytes()
            if hashlib.sha256(sealed).hexdigest() != entry.digest:
                raise StoreError(f"entry {entry.n}: the log was altered while it was open; run `facedouble log verify`")
            said.append({"n": entry.n, **json.loads(project.keyring.unseal(sealed))})
    chain = [{"n": e.n, "sha256": e.digest} for e in project.log.entries]
    keys = {e.facts["holder"]: base64.b64encode(bytes.fromhex(str(e.facts["key"]))).decode() for e in project.log.entries
            if e.event in (log.CREATED, log.KEY_ADDED)}
    return _page({"format": FORMAT, "entries": said, "chain": chain, "head": log.words(project.log.head), "keys": keys})


def _page(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
