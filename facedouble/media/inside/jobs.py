"""The jobs that the decode child knows, by name."""

from __future__ import annotations

from typing import Final

from facedouble.media.inside.look import look
from facedouble.media.inside.pictures import photo, pictures, times
from facedouble.media.inside.piece import Job
from facedouble.media.inside.sounds import count, recorded, recording, samples, take
from facedouble.media.inside.streams import idle, reading, tags

JOBS: Final[dict[str, Job]] = {
    "look": look, "pictures": pictures, "times": times, "photo": photo, "count": count, "samples": samples,
    "recording": recording, "recorded": recorded, "take": take, "reading": reading, "tags": tags, "idle": idle}
