"""Which demuxer a file gets, by its first bytes. Nothing is left to FFmpeg's guess: a text file may name other files."""

from __future__ import annotations

from pathlib import Path

from facedouble import disk
from facedouble.errors import InputRefused

HEAD = 4096  # bytes looked at
MOST_BOXES = 1 << 20  # side by side
SEGMENT = b"\x18\x53\x80\x67"  # the Matroska element that holds everything else


def sniff(path: Path) -> str:
    """The name of the one demuxer to use; InputRefused for anything that is not plain footage."""
    try:
        size = disk.size(path)
        there = disk.is_file(path)
    except FileNotFoundError as error:
        raise InputRefused(f"{path}: there is no such file; check the name") from error
    except OSError as error:
        raise InputRefused(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    if not there:
        raise InputRefused(f"{path}: is not a file; give a video file")
    if size == 0:
        raise InputRefused(f"{path}: is empty; copy it from the camera again")
    try:
        with disk.open_read(path) as file:
            head = file.read(HEAD)
    except OSError as error:
        raise InputRefused(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    name = _demuxer(head)
    if name is None:
        raise InputRefused(f"{path}: is not footage that facedouble knows (MP4, MOV, MKV, WebM, AVI, MPEG, MXF, OGG, FLV); "
                           "playlists and texts are refused")
    if name == "mov":
        _walk_boxes(path, size)
    elif _announced(name, head) > size:
        raise InputRefused(f"{path}: is cut off; copy it from the camera again")
    return name


def sniff_sound(path: Path) -> str:
    """The demuxer of a recording (WAV, FLAC, MP3, AIFF, CAF), or of footage whose sound is meant; InputRefused for all else."""
    try:
        if not disk.is_file(path):  # a pipe would be waited for
            return sniff(path)
        with disk.open_read(path) as file:
            head = file.read(HEAD)
    except OSError:
        head = b""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[:3] == b"ID3" or (len(head) > 3 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):  # layer III
        return "mp3"
    return {b"fLaC": "flac", b"caff": "caf"}.get(head[:4]) or sniff(path)


def _announced(name: str, head: bytes) -> int:
    """Bytes that a Matroska or AVI file says it has; 0 where it does not say (live recordings, other containers)."""
    if name == "avi":
        return int.from_bytes(head[4:8], "little") + 8
    at = head.find(SEGMENT) + len(SEGMENT) if name == "matroska" and SEGMENT in head else 0
    if not at or at >= len(head) or not head[at]:
        return 0
    width = 9 - head[at].bit_length()  # an EBML number: as many bytes as its first byte has leading zeros, and one
    size = int.from_bytes(head[at : at + width], "big") & ((1 << 7 * width) - 1)
    return 0 if size == (1 << 7 * width) - 1 else at + width + size


def _demuxer(head: bytes) -> str | None:
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        return "mov"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[:4] == b"\x00\x00\x01\xba":
        return "mpeg"
    if head[:4] == b"\x00\x00\x01\xb3":
        return "mpegvideo"
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:
        return "mpegts"
    if head[:14].startswith(b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02"):
        return "mxf"
    return {b"OggS": "ogg", b"FLV\x01": "flv", b"\x30\x26\xb2\x75": "asf"}.get(head[:4])


def _walk_boxes(path: Path, size: int) -> None:
    """Refuse an MP4 that was cut: a box runs past the end, or there is no index."""
    at, kinds, count = 0, set(), 0
    with disk.open_read(path) as file:
        while at < size:
            file.seek(at)
            head = file.read(16)
            if len(head) < 8:
                raise InputRefused(f"{path}: is cut off; copy it from the camera again")
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            elif length == 0:
                length = size - at
            count += 1
            if length < 8 or at + length > size or count > MOST_BOXES:
                raise InputRefused(f"{path}: is cut off or damaged; copy it from the camera again")
            kinds.add(kind)
            at += length
    if b"moov" not in kinds:
        raise InputRefused(f"{path}: has no index (the recording was not finished); repair it, or copy it again")
