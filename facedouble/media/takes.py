"""A volunteer's recording: any sound file or the microphone in, one plain WAV out, 48 kHz, mono, 24 bit, nothing else in it."""

from __future__ import annotations

import os
import struct
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import av
import av.error
import numpy as np
import soxr

from facedouble.errors import InputRefused, MachineError
from facedouble.media.apart.reading import lies, pieces
from facedouble.media.inside.sounds import mixed
from facedouble.media.limits import FASTEST, LONGEST_TAKE
from facedouble.media.sniff import sniff_sound
from facedouble.media.sound import block_of
from facedouble.publish import write_new
from facedouble.types import Floats

TAKE_RATE: Final = 48_000
_INPUTS: Final = (("alsa", "default"), ("pulse", "default"))
_ALSA: Final = Path("/usr/share/alsa/alsa.conf")


def read_sound(path: Path) -> tuple[Floats, int]:
    """The first sound of a file, its channels mixed: (N,) float32 in [-1, 1], and samples/s."""
    found: list[Floats] = []
    with closing(pieces(path, "take", {"demuxer": sniff_sound(path)})) as got:
        rate = count = 0
        for piece in got:
            with lies(str(path)):
                if not rate:
                    rate = piece.whole("rate", 1, FASTEST)
                    continue
                found.append(block_of(piece, 1)[:, 0])
                count += len(found[-1])
                if count > (LONGEST_TAKE + 60) * rate:
                    raise ValueError("too long")
    if not found:
        raise InputRefused(f"{path}: not one sample in it can be read; record it again")
    return np.concatenate(found), rate


def record(seconds: float) -> tuple[Floats, int]:
    """What the microphone hears for so long, or until Ctrl-C. MachineError where no recorder is there."""
    # PyAV's own ALSA looks for its settings in a folder of the machine that built it, /tmp/vendor, where anybody may put some
    os.environ["ALSA_CONFIG_DIR"], os.environ["ALSA_CONFIG_PATH"] = str(_ALSA.parent), str(_ALSA)
    for kind, device in _INPUTS:
        if kind not in av.formats_available or (kind == "alsa" and not _ALSA.is_file()):
            continue
        try:
            with av.open(device, format=kind) as box:
                return _heard(box, seconds)
        except (av.error.FFmpegError, OSError, ValueError):
            continue
    raise MachineError("no microphone can be opened here: record with a phone or another program, and import the file with "
                       "`facedouble voice take FILE`")


def _heard(box: Any, seconds: float) -> tuple[Floats, int]:
    """What comes out of a device that is open. Whoever records stops with Ctrl-C."""
    found: list[Floats] = []
    with suppress(KeyboardInterrupt):
        found.extend(mixed(box, seconds))
    rate = int(box.streams.audio[0].rate)
    if not found:
        raise InputRefused("not one sample was heard; look at the microphone and record again")
    return np.nan_to_num(np.concatenate(found)[: round(seconds * rate)]), rate


def write_take(path: Path, sound: Floats, rate: int) -> None:
    """A new WAV of 48 kHz, mono, 24 bit: format and samples, no other chunk."""
    made = sound if rate == TAKE_RATE else soxr.resample(sound, rate, TAKE_RATE)
    whole = np.round(np.clip(made, -1, 1).astype(np.float64) * (2**23 - 1)).astype("<i4")
    data = whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    pad = b"\0" * (len(data) % 2)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data) + len(pad), b"WAVE", b"fmt ", 16, 1, 1, TAKE_RATE,
                       TAKE_RATE * 3, 3, 24, b"data", len(data))
    write_new(path, head + data + pad)
