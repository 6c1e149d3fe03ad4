"""Contents of a project: one age file each, with a random name, whole on the disk or not there."""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self, TypeVar

from facedouble.age.reader import Payload, Reader, header_mac, open_payload, payload_size
from facedouble.age.sealing import Sealer
from facedouble.disk import Lent
from facedouble.errors import StoreError
from facedouble.store import files

ID: Final = re.compile(r"[0-9a-f]{32}")
HIDDEN: Final = "."  # before the name of a blob that is on its way
FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
ORIGINAL: Final = 0o400  # mode of what nobody writes again
T = TypeVar("T")


@dataclass(frozen=True)
class Blob:
    """What is kept. id: its name; size: bytes of the contents; mac: of its header, hex, which no other file has."""

    id: str
    size: int
    mac: str

    def __post_init__(self) -> None:
        if not ID.fullmatch(self.id) or self.size < 0 or not re.fullmatch("[0-9a-f]{64}", self.mac):
            raise ValueError("this describes no blob")


class Blobs:
    """The folder they lie in: `<two digits>/<32 digits>.age`. recipients: who can open new ones; identities: what opens them."""

    def __init__(self, folder: Path, recipients: Sequence[str], identities: Sequence[str] = ()) -> None:
        self.folder, self.recipients, self.identities = folder, tuple(recipients), tuple(identities)

    def new(self) -> BlobWriter:
        """A blob to write; it is there after its `commit`."""
        return BlobWriter(self)

    def put(self, data: bytes) -> Blob:
        """Keep these bytes."""
        with self.new() as out:
            out.write(data)
            return out.commit()

    def open(self, blob: Blob) -> Reader:
        """The contents, to be read anywhere; StoreError if another file lies in the blob's place, or it was altered."""
        return self._opened(blob, Reader)

    def read(self, blob: Blob) -> bytes:
        """All of a small one."""
        with self.open(blob) as file:
            return file.read()

    def lend(self, blob: Blob) -> Lent:
        """A descriptor and the key of just this one, for a child process; the caller closes the descriptor."""
        return self._opened(blob, _lent)

    def sealed(self, blob: Blob) -> BinaryIO:
        """The age file as it lies there; StoreError if it is another one. Needs no key."""
        path = self.path(blob.id)
        try:
            file = _there(path)
        except OSError as error:
            raise StoreError(f"{path}: cannot be read ({error.strerror}); put it back from a copy of the project") from error
        try:
            if not hmac.compare_digest(header_mac(file).hex(), blob.mac):
                raise StoreError(f"{path}: another file was put in its place; put the right one back from a copy of the project")
            file.seek(0)
        except StoreError as error:
            file.close()
            raise StoreError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
        return file

    def remove(self, id: str) -> None:
        """Take a blob away; nothing happens if it is not there."""
        path = self.path(id)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{path}: cannot be removed ({error.strerror}); is the disk mounted to be written?") from error

    def protect(self, id: str) -> None:
        """Let nobody write in it, be it its owner by mistake."""
        with suppress(OSError):  # a stick in FAT knows no such thing
            os.chmod(self.path(id), ORIGINAL)

    def ids(self) -> list[str]:
        """The names of all whole ones, sorted."""
        return sorted(p.stem for p in self.folder.glob("??/*.age") if ID.fullmatch(p.stem))

    def settle(self, known: Collection[str] = ()) -> None:
        """Finish what a crash left: known blobs get their names, others are taken away. Nobody else may be writing."""
        for part in self.folder.glob(f"??/{HIDDEN}*{files.PART}"):
            with suppress(OSError):
                if (id := part.name[len(HIDDEN):-len(files.PART)]) in known:
                    os.rename(part, self.path(id))
                    files.sync(part.parent)
                else:
                    part.unlink()

    def path(self, id: str) -> Path:
        """Where a blob lies; ValueError if that is no name of one."""
        if not ID.fullmatch(id):
            raise ValueError(f"{id!r} names no blob")
        return self.folder / id[:2] / f"{id}.age"

    def _opened(self, blob: Blob, use: Callable[[BinaryIO, Payload], T]) -> T:
        file = self.sealed(blob)
        try:
            payload = open_payload(file, self.identities)
            if payload_size(file, payload) != blob.size:
                raise StoreError("its size is not the one that was written down; put it back from a copy of the project")
            return use(file, payload)
        except StoreError as error:
            file.close()
            raise StoreError(f"{self.path(blob.id)}: {error}") from error


class BlobWriter:
    """A blob on its way, hidden. Without a `commit`, leaving the `with` takes it away."""

    def __init__(self, owner: Blobs) -> None:
        self._owner = owner
        self.id = secrets.token_hex(16)
        self._path = owner.path(self.id)
        self._part = hidden(self._path)
        self._size = 0
        self._whole = False
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = os.fdopen(os.open(self._part, flags, 0o600), "w+b")
        except OSError as error:
            raise self._full(error) from error
        try:
            self._sealer = Sealer(self._file, owner.recipients)
        except BaseException:
            self._drop()
            raise

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Add these bytes; StoreError if the disk does not take them."""
        try:
            self._sealer.write(data)
        except OSError as error:
            raise self._full(error) from error
        self._size += memoryview(data).nbytes
        return memoryview(data).nbytes

    def commit(self) -> Blob:
        """Put it on the disk, whole, and give it its name."""
        blob = self.prepare()
        self.publish()
        return blob

    def prepare(self) -> Blob:
        """Put it on the disk, whole and still hidden, for what counts only when something else does.

        It stays until `publish`, or until `Blobs.settle` finds that nobody knows it.
        """
        try:
            self._sealer.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            mac = header_mac(self._file).hex()
            files.sync(self._path.parent)
            self._whole = True
        except OSError as error:
            raise self._full(error) from error
        finally:
            self._drop()
        return Blob(self.id, self._size, mac)

    def publish(self) -> None:
        """Give it its name."""
        try:
            os.rename(self._part, self._path)
            files.sync(self._path.parent)
            files.sync(self._owner.folder)
        except OSError as error:
            raise self._full(error) from error

    def abort(self) -> None:
        """Take it away; nothing happens if it is whole."""
        if not self._file.closed:
            self._sealer.abort()
            self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()

    def _drop(self) -> None:
        with suppress(OSError):
            self._file.close()
        if not self._whole:
            with suppress(OSError):  # where the stick is gone, so is the file; `tidy` takes it away otherwise
                self._part.unlink(missing_ok=True)

    def _full(self, error: OSError) -> StoreError:
        return StoreError(f"{self._owner.folder}: cannot be written ({error.strerror or error}); make room or put the disk back, "
                          "then repeat the command: nothing half-written is left")


def hidden(path: Path) -> Path:
    """What a blob is called before it has its name."""
    return path.with_name(f"{HIDDEN}{path.stem}{files.PART}")


def _there(path: Path) -> BinaryIO:
    """The file of a blob; it is hidden still where a crash came between `prepare` and `publish`, or another process is there."""
    for place in (path, hidden(path)):
        with suppress(FileNotFoundError):
            return os.fdopen(os.open(place, FLAGS), "rb")
    return os.fdopen(os.open(path, FLAGS), "rb")


def _lent(file: BinaryIO, payload: Payload) -> Lent:
    with Reader(file, payload):  # its end is checked here, before anybody begins
        return Lent(os.dup(file.fileno()), payload.key, payload.start)
