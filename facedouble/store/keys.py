"""Who can open a project: one age file per key holder, and what is in it."""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pyrage
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from facedouble.age.errors import AgeError
from facedouble.age.sealing import generate, recipient_of, seal
from facedouble.errors import StoreError, UsageError
from facedouble.store import files

LABEL: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
WORDS: Final = 9  # of 2048: 99 bits
LEAST_GUESSES_LOG10: Final = 16.0
LEAST_CHARACTERS: Final = 16
LONGEST_RATED: Final = 72  # zxcvbn takes no more
SIGNING: Final = "# facedouble signing key: "
OWN: Final = "# facedouble own key of this holder; later project keys come to it in a file .more.age"
SECRET: Final = "AGE-SECRET-KEY-1"
FIELD: Final = "field"  # who signs on a laptop that only takes footage in
CLOSED: Final = "this opens none of the project's keys; check what you typed, or the identity file, and try again"


@dataclass(frozen=True)
class Keyring:
    """What a holder's file holds, opened. identities: of the project, newest first; own: the holder's own identity."""

    holder: str
    identities: tuple[str, ...] = field(repr=False)
    signing: bytes = field(repr=False)  # Ed25519 seed, 32 bytes
    own: str = field(repr=False, default="")

    @property
    def public(self) -> str:
        """The public half of the signing key, hex."""
        return Ed25519PrivateKey.from_private_bytes(self.signing).public_key().public_bytes_raw().hex()

    @property
    def recipients(self) -> tuple[str, ...]:
        """The public halves of the project's identities, newest first."""
        return tuple(recipient_of(i) for i in self.identities)

    def only(self, recipients: Sequence[str]) -> Keyring:
        """With the identities of these recipients, in their order, and no others."""
        known = dict(zip(self.recipients, self.identities, strict=True))
        return replace(self, identities=tuple(known[r] for r in recipients if r in known))

    def sign(self, data: bytes) -> bytes:
        """64 bytes, Ed25519."""
        return Ed25519PrivateKey.from_private_bytes(self.signing).sign(data)

    def unseal(self, sealed: bytes) -> bytes:
        """The contents of a small age file of the project; StoreError if no key fits or it was altered."""
        try:
            return bytes(pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(i) for i in self.identities]))
        except pyrage.DecryptError as error:
            raise StoreError("a file of the project opens with none of its keys: it was altered, or the keys were changed; "
                             "`facedouble lock` and `facedouble unlock` again, then `facedouble log verify`") from error

    def packed(self) -> bytes:
        """The keyring as bytes, for a pipe to a process of the same user."""
        return json.dumps({"holder": self.holder, "identities": self.identities, "signing": self.signing.hex(),
                           "own": self.own}).encode()

    @classmethod
    def unpacked(cls, data: bytes) -> Keyring:
        """The reverse."""
        said = json.loads(data)
        return cls(said["holder"], tuple(said["identities"]), bytes.fromhex(said["signing"]), said["own"])


@dataclass(frozen=True)
class Secret:
    """What closes a holder's file: a passphrase, or the recipient of an age identity that the holder keeps elsewhere."""

    passphrase: str | None = field(default=None, repr=False)
    recipient: str | None = None

    def __post_init__(self) -> None:
        if (self.passphrase is None) is (self.recipient is None):
            raise ValueError("either a passphrase or a recipient")
        if self.recipient is not None:
            check_recipient(self.recipient)

    @property
    def kind(self) -> str:
        """For the public half of the file."""
        return self.recipient or "passphrase"


def new_keyring(holder: str) -> Keyring:
    """A holder with fresh keys, and the first identity of a new project."""
    check_label(holder)
    return Keyring(holder, (generate()[0],), secrets.token_bytes(32), generate()[0])


def check_label(holder: str) -> None:
    """UsageError unless it can name a key holder."""
    if not LABEL.fullmatch(holder):
        raise UsageError(f"{holder!r} cannot name a key holder: take 1 to 32 of a-z, 0-9 and -, and no real name")


def check_recipient(recipient: str) -> None:
    """UsageError unless it is an age recipient."""
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise UsageError(f"{recipient!r} is no age recipient; it has to be what `age-keygen -y` prints, age1…") from error


def new_passphrase() -> str:
    """Nine words, 99 bits."""
    from mnemonic import Mnemonic

    words = Mnemonic("english").wordlist
    return " ".join(secrets.choice(words) for _ in range(WORDS))


def check_passphrase(phrase: str) -> None:
    """UsageError unless it would hold against somebody who has the disk; says why."""
    if len(phrase) < LEAST_CHARACTERS:
        raise UsageError(f"this passphrase is too short: it needs {LEAST_CHARACTERS} characters or more; better, let "
                         "facedouble make one")
    from zxcvbn import zxcvbn  # its lists of words take a while to load

    found = zxcvbn(phrase[:LONGEST_RATED])
    if found["guesses_log10"] < LEAST_GUESSES_LOG10:
        why = (found["feedback"]["warning"] or "it is made of things that are guessed early").rstrip(".")
        raise UsageError(f"this passphrase is too easy to guess: {why[0].lower()}{why[1:]}; add words that have nothing to do "
                         "with each other, or let facedouble make one")


def save(folder: Path, keyring: Keyring, secret: Secret) -> None:
    """Write a holder's file and its public half; there must be none of that name."""
    text = f"{SIGNING}{base64.b64encode(keyring.signing).decode()}\n{_lines(keyring.identities)}{OWN}\n{keyring.own}\n".encode()
    sealed = seal(text, () if secret.recipient is None else (secret.recipient,), secret.passphrase)
    files.write(folder / f"{keyring.holder}.age", sealed, fresh=True)
    files.write(folder / f"{keyring.holder}.toml",
                f'signing = "{keyring.public}"\nown = "{recipient_of(keyring.own)}"\nkind = "{secret.kind}"\n'.encode())


def keep_only(folder: Path, holders: Collection[str]) -> None:
    """Remove the files of those who hold no key: what a crash left of an adding or a removal. What is not ours stays."""
    try:
        for path in folder.iterdir():
            name, _, kind = path.name.partition(".")
            if kind in ("age", "more.age", "toml") and LABEL.fullmatch(name) and name not in holders:
                path.unlink()
    except OSError as error:
        raise StoreError(f"{folder}: the keys cannot be read ({error.strerror}); is the disk there?") from error


def hand_down(folder: Path, holder: str, own_recipient: str, identities: Sequence[str]) -> None:
    """Leave the project's identities for a holder who is not here, to the holder's own key."""
    files.write(folder / f"{holder}.more.age", seal(_lines(identities).encode(), (own_recipient,)))


def _lines(identities: Sequence[str]) -> str:
    return "".join(f"{i}\n" for i in identities)


def completed(folder: Path, keyring: Keyring) -> Keyring:
    """The keyring with identities that came after it was opened.

    Anybody can leave some there, because the holder's recipient is plain. They open the log, whose entries are signed; for all
    else, those count whose recipients it names (`only`).
    """
    try:
        sealed = (folder / f"{keyring.holder}.more.age").read_bytes()
        text = pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(keyring.own)]).decode() if keyring.own else ""
        later = {recipient_of(i): i for i in _identities(text)}
    except FileNotFoundError:
        return keyring
    except (pyrage.DecryptError, pyrage.IdentityError, AgeError, UnicodeDecodeError) as error:
        raise StoreError(f"{folder}/{keyring.holder}.more.age: was altered; put it back from a copy of the project") from error
    return replace(keyring, identities=tuple(dict.fromkeys((*later.values(), *keyring.identities))))


def _identities(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line.startswith(SECRET))


def unlock(folder: Path, passphrase: str, holder: str | None = None) -> Keyring:
    """Open the holder's file that a passphrase fits; StoreError, always in the same words, if it fits none."""
    for path in _holders_files(folder, holder):
        try:
            sealed = path.read_bytes()
            if b"\n-> scrypt " in sealed[:256]:
                return _keyring(folder, path.stem, pyrage.passphrase.decrypt(sealed, passphrase).decode())
        except (pyrage.DecryptError, UnicodeDecodeError, OSError):
            continue
    raise StoreError(CLOSED)


def unlock_with(folder: Path, identity: Path, holder: str | None = None) -> Keyring:
    """The same with a holder's own age identity file."""
    try:
        mine = [pyrage.x25519.Identity.from_str(i) for i in _identities(identity.read_text())]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError) as error:
        raise StoreError(f"{identity}: cannot be read as an age identity file; it has to hold a line {SECRET}…") from error
    for path in _holders_files(folder, holder):
        try:
            sealed = path.read_bytes()
            if b"\n-> X25519 " in sealed[:256]:
                return _keyring(folder, path.stem, pyrage.decrypt(sealed, mine).decode())
        except (pyrage.DecryptError, UnicodeDecodeError, OSError):
            continue
    raise StoreError(CLOSED)


def _holders_files(folder: Path, holder: str | None) -> list[Path]:
    return [p for p in sorted(folder.glob("*.age")) if LABEL.fullmatch(p.stem) and holder in (None, p.stem)]


def _keyring(folder: Path, holder: str, text: str) -> Keyring:
    signing = [line.removeprefix(SIGNING) for line in text.splitlines() if line.startswith(SIGNING)]
    project, _, own = text.partition(OWN)
    try:
        made = Keyring(holder, _identities(project), base64.b64decode(signing[0], validate=True), _identities(own)[0])
        if not made.identities or len(made.signing) != 32:
            raise ValueError
    except (ValueError, IndexError) as error:
        raise StoreError(f"{folder}/{holder}.age: opens, and holds no keys of facedouble; take it from a copy") from error
    return completed(folder, made)


def signed(public: str, signature: bytes, data: bytes) -> bool:
    """Whether the signature over the data is by that key, hex."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def save_field(folder: Path, keyring: Keyring) -> None:
    """A field laptop's own signing key. It is plain, because that laptop has nothing to open it with, and opens nothing."""
    files.write(folder / f"{keyring.holder}.key", base64.b64encode(keyring.signing) + b"\n", fresh=True)


def load_field(folder: Path) -> Keyring:
    """The keyring of a field laptop: it signs, and has no identity."""
    path = folder / f"{FIELD}.key"
    try:
        seed = base64.b64decode(path.read_bytes(), validate=False)
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: the field laptop's signing key cannot be read; make a new field project") from error
    if len(seed) != 32:
        raise StoreError(f"{path}: is no signing key; make a new field project")
    return Keyring(FIELD, (), seed)
