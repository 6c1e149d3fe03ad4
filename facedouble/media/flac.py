"""A sound as the bytes of a small file that any browser plays, without loss."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from facedouble.types import Floats


def flac(blocks: Iterator[Floats], rate: int) -> bytes:
    """Blocks (N,) float32 in [-1, 1] -> FLAC, one channel, 16 bit. No names, no tags but the coder's own."""
    out = io.BytesIO()
    with av.open(out, "w", format="flac", options={"fflags": "+bitexact"}) as box:
        stream: Any = box.add_stream("flac", rate=rate, layout="mono", format="s16")
        stream.codec_context.flags |= int(av.codec.context.Flags.bitexact)
        at = 0
        for block in blocks:
            if not len(block):
                continue
            whole = np.clip(np.round(np.nan_to_num(block) * 32767), -32768, 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(whole[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate, at
            at += len(block)
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    return out.getvalue()
