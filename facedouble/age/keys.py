"""Keys of age: identities, recipients, passphrases, and from them the key of one file."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from facedouble.age import bech32
from facedouble.age.errors import AgeError, HeaderAltered, HeaderRefused, NoKeyFits
from facedouble.age.header import Header, Stanza, exactly

IDENTITY, RECIPIENT = "AGE-SECRET-KEY-", "age"
X25519, SCRYPT = "X25519", "scrypt"
WRAPPED = 32  # bytes: a file key of 16 and its tag; nothing longer is ever decrypted
MAX_WORK = 22  # 2^22 rounds of scrypt: 4 GiB and a minute. What asks for more wants to stop us.
NOBODY = "this file was not made for this key or passphrase; open it with the right one"


def identity_bytes(identity: str) -> bytes:
    """The 32 secret bytes of AGE-SECRET-KEY-1…; AgeError, which does not repeat it, if it is none."""
    return _bytes(identity, IDENTITY, "a secret age key begins with AGE-SECRET-KEY-1")


def recipient_bytes(recipient: str) -> bytes:
    """The 32 bytes of age1…"""
    return _bytes(recipient, RECIPIENT, "an age recipient begins with age1")


def recipient_of(identity: str) -> str:
    """The age1… for which to encrypt, so that this identity opens it."""
    return bech32.encode(RECIPIENT, X25519PrivateKey.from_private_bytes(identity_bytes(identity)).public_key().public_bytes_raw())


def file_key(header: Header, identities: Sequence[str], passphrase: str | None) -> bytes:
    """The 16 bytes that everything in the file hangs on; AgeError if no key fits, or the header was altered."""
    for stanza in header.stanzas:
        _check(stanza, len(header.stanzas))
    key = _unwrapped(header.stanzas, identities, passphrase)
    if key is None:
        raise NoKeyFits(NOBODY)
    if not hmac.compare_digest(hmac.digest(derived(key, b"", b"header"), header.covered, "sha256"), header.mac):
        raise HeaderAltered("the header of this age file was altered; take the file from another copy")
    return key


def derived(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """32 bytes by HKDF-SHA256."""
    return HKDF(SHA256(), 32, salt, info).derive(secret)


def _bytes(text: str, prefix: str, words: str) -> bytes:
    found, data = bech32.decode(text)
    if found != prefix or len(data) != 32:
        raise AgeError(f"{words}, and has {len(prefix) + 59} letters; copy it again, whole")
    return data


def _check(stanza: Stanza, stanzas: int) -> None:
    if stanza.kind == X25519:
        if len(stanza.arguments) != 1:
            raise _odd()
        exactly(stanza.arguments[0], 32)
    elif stanza.kind == SCRYPT:
        if stanzas != 1 or len(stanza.arguments) != 2 or not re.fullmatch("[1-9][0-9]{0,2}", stanza.arguments[1]):
            raise _odd()
        exactly(stanza.arguments[0], 16)
        if int(stanza.arguments[1]) > MAX_WORK:
            raise HeaderRefused(f"this file's passphrase takes more than 2^{MAX_WORK} rounds to try; it is damaged, or a trap")
    else:
        return  # of another kind, which age allows: somebody else's way in
    if len(stanza.body) != WRAPPED:
        raise _odd()


def _unwrapped(stanzas: Sequence[Stanza], identities: Sequence[str], passphrase: str | None) -> bytes | None:
    secrets = [X25519PrivateKey.from_private_bytes(identity_bytes(text)) for text in identities]
    for stanza in stanzas:
        if stanza.kind == SCRYPT and passphrase is not None:
            return _opened(_stretched(passphrase, exactly(stanza.arguments[0], 16), int(stanza.arguments[1])), stanza.body)
        for secret in secrets if stanza.kind == X25519 else ():
            key = _opened(_agreed(secret, exactly(stanza.arguments[0], 32)), stanza.body)
            if key is not None:
                return key
    return None


def _agreed(secret: X25519PrivateKey, share: bytes) -> bytes:
    try:
        common = secret.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError as error:  # a share of low order, whose secret everybody knows
        raise _odd() from error
    return derived(common, share + secret.public_key().public_bytes_raw(), b"age-encryption.org/v1/X25519")


def _stretched(passphrase: str, salt: bytes, work: int) -> bytes:
    try:
        return Scrypt(b"age-encryption.org/v1/scrypt" + salt, 32, 1 << work, 8, 1).derive(passphrase.encode())
    except MemoryError as error:
        raise AgeError(f"the passphrase cannot be tried: it needs {1 << work - 10} MiB of memory; close programs") from error


def _opened(key: bytes, body: bytes) -> bytes | None:
    try:
        return ChaCha20Poly1305(key).decrypt(bytes(12), body, None)
    except InvalidTag:
        return None


def _odd() -> HeaderRefused:
    return HeaderRefused("the header of this age file was altered where its key is; take it from another copy")
