"""What both readers of age are tried on: the public vectors where they are, and files of the same faults made here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from facedouble.age.bech32 import encode
from facedouble.age.keys import derived

FOLDER = Path(__file__).resolve().parents[3] / "shared/data/age-vectors"  # C2SP/CCTV, one fault each
SECRET = hashlib.sha256(b"the identity of these tests").digest()
IDENTITY = encode("AGE-SECRET-KEY-", SECRET)
OTHER = encode("AGE-SECRET-KEY-", hashlib.sha256(b"somebody else's").digest())
PASSPHRASE, WORK = "password", 10
FILE_KEY = b"YELLOW SUBMARINE"
CHUNK = 1 << 16
OK, HEADER, NO_MATCH, MAC, PAYLOAD = "success", "header failure", "no match", "HMAC failure", "payload failure"


@dataclass(frozen=True)
class Vector:
    """expect: one of the five words above; payload: SHA-256 of what may be released."""

    name: str
    expect: str
    payload: str
    identities: tuple[str, ...]
    passphrase: str | None
    data: bytes


def public() -> tuple[list[Vector], list[str], list[str]]:
    """Those that apply; the names of armoured ones; those of post-quantum ones. A project has neither of the latter two."""
    found, armoured, hybrid = [], [], []
    for path in sorted(FOLDER.iterdir()):
        head, data = path.read_bytes().split(b"\n\n", 1)
        lines = [line.split(": ", 1) for line in head.decode().split("\n")]
        said = dict(lines)
        if said.get("armored") or path.name.startswith("armor"):
            armoured.append(path.name)
        elif path.name.startswith("hybrid"):
            hybrid.append(path.name)
        else:
            identities = tuple(value for key, value in lines if key == "identity")
            found.append(Vector(path.name, said["expect"], said.get("payload", ""), identities, said.get("passphrase"),
                                zlib.decompress(data) if said.get("compressed") else data))
    return found, armoured, hybrid


def b64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def odd(text: bytes) -> bytes:
    """Another spelling of the same bytes: the bits that base64 leaves over are set."""
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return text[:-1] + letters[letters.index(text[-1:]) + 1:][:1]


def share(body: bytes = FILE_KEY, ephemeral: bytes = b"e" * 32) -> tuple[bytes, bytes]:
    """What an X25519 stanza says for IDENTITY: the share, and the wrapped body."""
    mine, to = X25519PrivateKey.from_private_bytes(ephemeral), X25519PrivateKey.from_private_bytes(SECRET).public_key()
    point, name = mine.public_key().public_bytes_raw(), to.public_bytes_raw()
    key = derived(mine.exchange(X25519PublicKey.from_public_bytes(name)), point + name, b"age-encryption.org/v1/X25519")
    return point, ChaCha20Poly1305(key).encrypt(bytes(12), body, None)


def stretched(salt: bytes = b"s" * 16, body: bytes = FILE_KEY) -> bytes:
    key = Scrypt(b"age-encryption.org/v1/scrypt" + salt, 32, 1 << WORK, 8, 1).derive(PASSPHRASE.encode())
    return ChaCha20Poly1305(key).encrypt(bytes(12), body, None)


def sealed(chunks: list[tuple[bytes, bool]]) -> bytes:
    """Nonce and chunks, each with the mark of the last one or without."""
    cipher = ChaCha20Poly1305(derived(FILE_KEY, b"n" * 16, b"payload"))
    return b"n" * 16 + b"".join(cipher.encrypt(number.to_bytes(11, "big") + bytes([last]), chunk, None)
                                for number, (chunk, last) in enumerate(chunks))


def age(stanzas: bytes, payload: bytes | None = None, mac: bytes | None = None, tail: bytes = b"\n",
        version: bytes = b"age-encryption.org/v1\n") -> bytes:
    head = version + stanzas + b"---"
    mac = hmac.digest(derived(FILE_KEY, b"", b"header"), head, "sha256") if mac is None else mac
    return head + b" " + b64(mac) + tail + (sealed([(b"age", True)]) if payload is None else payload)


def x25519(body: bytes | None = None, point: bytes | None = None, kind: bytes = b"X25519", more: bytes = b"") -> bytes:
    real, wrapped = share()
    return b"-> " + kind + b" " + b64(real if point is None else point) + more + b"\n" \
        + b64(wrapped if body is None else body) + b"\n"


def scrypt(salt: bytes = b"s" * 16, work: bytes = str(WORK).encode(), body: bytes | None = None) -> bytes:
    return b"-> scrypt " + b64(salt) + b" " + work + b"\n" + b64(stretched() if body is None else body) + b"\n"


def made() -> list[Vector]:
    """One file a fault, as the public vectors have them; these are there wherever the tests are."""
    full = b"f" * CHUNK
    point, wrapped = share()
    long = share(b"k" * 24)[1]
    good = x25519()
    low = bytes(32)
    grease = b"-> grease!~ a\n\n"
    files: dict[str, tuple[str, bytes]] = {
        "empty": (HEADER, b""),
        "version": (HEADER, age(good, version=b"age-encryption.org/v2\n")),
        "crlf": (HEADER, age(good.replace(b"\n", b"\r\n"))),
        "no stanza": (HEADER, age(b"")),
        "good": (OK, age(good)),
        "grease": (OK, age(grease + good + grease)),
        "second stanza": (OK, age(x25519(bytes(32)) + good)),
        "mac bad": (MAC, age(good, mac=bytes(32))),
        "mac short": (HEADER, age(good, mac=bytes(31))),
        "mac space": (HEADER, age(good, tail=b" \n")),
        "mac odd": (HEADER, age(good).replace(b64(mac_of(good)), odd(b64(mac_of(good))))),
        "stanza of another version": (HEADER, age(b"=> x\n\n" + good)),
        "argument empty": (HEADER, age(b"-> a  b\n\n" + good)),
        "no argument": (HEADER, age(b"->\n\n" + good)),
        "argument not ascii": (HEADER, age("-> ä\n\n".encode() + good)),
        "body padded": (HEADER, age(b"-> a\nQUI=\n" + good)),
        "body odd": (HEADER, age(b"-> a\nQUJ\n" + good)),
        "body long line": (HEADER, age(b"-> a\n" + b"A" * 68 + b"\n" + good)),
        "body missing": (HEADER, age(b"-> a\n" + good)),
        "body full line": (OK, age(b"-> a\n" + b"A" * 64 + b"\n\n" + good)),
        "body full line, no end": (HEADER, age(b"-> a\n" + b"A" * 64 + b"\n" + good)),
        "share long": (HEADER, age(x25519(point=point + b"\0"))),
        "share short": (HEADER, age(x25519(point=point[:31]))),
        "share odd": (HEADER, age(good.replace(b64(point), odd(b64(point))))),
        "share of low order": (HEADER, age(x25519(point=low))),
        "share more": (HEADER, age(x25519(more=b" more"))),
        "wrapped odd": (HEADER, age(good.replace(b64(wrapped), odd(b64(wrapped))))),
        "file key long": (HEADER, age(x25519(long))),
        "tag bad": (NO_MATCH, age(x25519(wrapped[:-1] + bytes([wrapped[-1] ^ 1])))),
        "kind in small letters": (NO_MATCH, age(x25519(kind=b"x25519"))),
        "nonce short": (HEADER, age(good, b"n" * 15)),
        "no chunk": (PAYLOAD, age(good, b"n" * 16)),
        "tag missing": (PAYLOAD, age(good, sealed([(b"", True)])[:-1])),
        "payload empty": (OK, age(good, sealed([(b"", True)]))),
        "not final": (PAYLOAD, age(good, sealed([(b"age", False)]))),
        "full final": (OK, age(good, sealed([(full, True)]))),
        "full not final": (PAYLOAD, age(good, sealed([(full, False)]))),
        "two chunks": (OK, age(good, sealed([(full, False), (b"age", True)]))),
        "two finals": (PAYLOAD, age(good, sealed([(full, True), (b"age", True)]))),
        "last empty": (PAYLOAD, age(good, sealed([(full, False), (b"", True)]))),
        "first short": (PAYLOAD, age(good, sealed([(full[1:], False), (b"age", True)]))),
        "trailing": (PAYLOAD, age(good, sealed([(b"age", True)]) + b"more")),
        "trailing chunk": (PAYLOAD, age(good, sealed([(full, True)]) + b"m" * 20)),
        "scrypt": (OK, age(scrypt())),
        "scrypt tag bad": (NO_MATCH, age(scrypt(body=bytes(32)))),
        "scrypt twice": (HEADER, age(scrypt() + scrypt())),
        "scrypt and x25519": (HEADER, age(scrypt() + good)),
        "scrypt salt short": (HEADER, age(scrypt(salt=b"s" * 15))),
        "scrypt file key long": (HEADER, age(scrypt(body=stretched(body=b"k" * 24)))),
        "scrypt more": (HEADER, age(scrypt(work=b"10 x"))),
    } | {f"scrypt work {work!r}": (HEADER, age(scrypt(work=work)))
         for work in (b"0", b"010", b"+10", b"-10", b"0xa", b"10x", b"40", b"18446744073709551626")}
    return [Vector(name, expect, "", (IDENTITY,) if "scrypt" not in name else (), PASSPHRASE if "scrypt" in name else None, data)
            for name, (expect, data) in files.items()]


def mac_of(stanzas: bytes) -> bytes:
    return hmac.digest(derived(FILE_KEY, b"", b"header"), b"age-encryption.org/v1\n" + stanzas + b"---", "sha256")
