"""Parts of footage read once more: sought where that gives the very frames of the first reading, else read from the start."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from facedouble.errors import FacedoubleError, InputRefused
from facedouble.media.decode import frames
from facedouble.types import Array, Frame, MediaInfo, Value

MARK: Final = np.dtype([("ticks", "i8"), ("sum", "u8"), ("span", "i4"), ("corrupt", "?")])
BACK: Final = (0, 16, 128)  # frames before the first one wanted that are sought: decoders need some, and indices may be coarse
WORTH: Final = 48  # frames; fewer are read over rather than sought past


@dataclass(frozen=True)
class Marks(Value):
    """By what each frame of the first reading is known again: (n,) `MARK`."""

    rows: Array

    def __len__(self) -> int:
        return len(self.rows)


class Marking:
    """Collects the marks while the frames pass."""

    def __init__(self) -> None:
        self._packed = bytearray()

    def add(self, frame: Frame) -> None:
        """Take the next frame's."""
        self._packed += np.array(mark(frame), MARK).tobytes()

    def done(self) -> Marks:
        """All of them."""
        return Marks(np.frombuffer(bytes(self._packed), MARK))


def mark(frame: Frame) -> tuple[int, int, int, bool]:
    """A `MARK`. The sum of all samples, eight bytes at a time, is that of no other picture but by design."""
    total = 0
    for plane in frame.planes:
        flat = plane.reshape(-1).view(np.uint8)
        even = flat.size // 8 * 8
        total += int(flat[:even].view(np.uint64).sum()) + int(flat[even:].sum(dtype=np.uint64))
    return frame.ticks, total % (1 << 64), frame.span, frame.corrupt


def spans_of(info: MediaInfo, spans: Sequence[tuple[int, int]], marks: Marks | None) -> Generator[Frame, None, None]:
    """The frames of some spans (half-open, in order) as the first reading had them, with their numbers.

    Every sought frame is compared with its mark; at the first that differs, and in damaged footage, it is read from the start
    from there on. FacedoubleError if the footage is another than at the first reading.
    """
    wanted = [span for span in spans if span[1] > span[0]]
    seeking = marks is not None and not marks.rows["corrupt"].any()
    while seeking and wanted and marks is not None:
        run, at = _run(wanted), 0
        with closing(_sought(info, run, marks)) as found:
            for frame in found:
                yield frame
                at = frame.index + 1
        seeking = at == run[-1][1]
        wanted = [(max(a, at), b) for a, b in wanted if b > at]
    if wanted:
        yield from _plain(info, wanted, marks)


def _run(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The first spans, as long as seeking does not pay between them."""
    count = 1
    while count < len(spans) and spans[count][0] - spans[count - 1][1] < WORTH:
        count += 1
    return spans[:count]


def _plain(info: MediaInfo, spans: Sequence[tuple[int, int]], marks: Marks | None) -> Generator[Frame, None, None]:
    """Read from the start of the film."""
    with closing(frames(info)) as film:
        left = list(spans)
        for frame in film:
            if marks is not None and (frame.index >= len(marks) or marks.rows["ticks"][frame.index] != frame.ticks):
                raise FacedoubleError("the footage changed while it was read; leave it alone and start again")
            if frame.index >= left[0][0]:
                yield frame
            if frame.index + 1 == left[0][1]:
                left.pop(0)
                if not left:
                    return
    raise FacedoubleError(f"the footage changed while it was read: it ends before frame {left[0][1] - 1}; start again")


def _sought(info: MediaInfo, run: list[tuple[int, int]], marks: Marks) -> Generator[Frame, None, None]:
    """The frames of a run of spans, as far as they come out exactly as marked."""
    start, stop = run[0][0], run[-1][1]
    ticks = marks.rows["ticks"]
    for back in BACK:
        index, passed = start, 0
        with closing(frames(info, None if start < WORTH else int(ticks[max(start - back, 0)]))) as film, suppress(InputRefused):
            for frame in film:
                if index == start and frame.ticks < ticks[start]:
                    passed += 1
                    continue
                if mark(frame) != marks.rows[index].item():
                    break
                if any(a <= index < b for a, b in run):
                    yield replace(frame, index=index)
                index += 1
                if index == stop:
                    return
        if index > start or passed > max(BACK):
            return  # what was had is exact; looking farther back would not help
