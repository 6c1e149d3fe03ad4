"""Parts of footage read once more: sought where that gives the very frames of the first reading, else read from the start."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from facedouble.errors import FacedoubleError, InputRefused
from facedouble.media.decode import frames, packet_times
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


def picked(info: MediaInfo, wanted: Sequence[int]) -> Generator[Frame, None, None]:
    """Single frames of a film by their numbers, each once and in order, as many of them as there are.

    They are sought by the times of the packets, which are read without decoding; what does not come out at the very time that it
    should have, is read from the start. For looking at: `spans_of` proves what it gives.
    """
    left = sorted({n for n in wanted if n >= 0})
    ticks = packet_times(info) if left and left[-1] >= WORTH else []
    numbers = {t: n for n, t in enumerate(ticks)}
    if ticks and len(numbers) == len(ticks):
        for first, last in _near([n for n in left if n < len(ticks)]):
            with closing(frames(info, None if first < WORTH else ticks[first - BACK[1]])) as film, suppress(InputRefused):
                for frame in film:
                    n = numbers.get(frame.ticks, -1)
                    if n in left and first <= n <= last:
                        left.remove(n)
                        yield replace(frame, index=n)
                    if frame.ticks >= ticks[last]:
                        break
        left = [n for n in left if n < len(ticks)]
    if left:
        with closing(frames(info)) as film:
            for frame in film:
                if frame.index in left:
                    yield frame
                if frame.index >= left[-1]:
                    return


def _near(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of the runs in which reading on is cheaper than seeking."""
    out: list[tuple[int, int]] = []
    for n in numbers:
        out[-1:] = [(out[-1][0], n)] if out and n - out[-1][1] < WORTH else [*out[-1:], (n, n)]
    return out
