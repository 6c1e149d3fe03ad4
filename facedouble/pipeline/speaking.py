"""What speaks with another voice: the network and the reader of content, loaded once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from facedouble.errors import ModelError
from facedouble.models.content import Content, load_content
from facedouble.models.voicenet import load_net
from facedouble.types import Floats
from facedouble.voice.double import make
from facedouble.voice.trunk import Trunk

RATE: Final = 24_000  # samples/s that voices are made of, and speak: speech has next to nothing above 12 kHz


@lru_cache(maxsize=1)
def open_trunk() -> Trunk:
    """The network that speaks; ModelError if it is missing or altered."""
    run, numbers = load_net()
    return Trunk(run, **numbers)


@lru_cache(maxsize=1)
def open_content(models: Path | None = None) -> Content:
    """What reads what is said; ModelError if a model of it is missing or altered."""
    try:
        return load_content(models)
    except ModelError as error:
        raise ModelError(f"{error}; without it a voice can be muted, or spoken anew (revoice)") from error


class Maker:
    """Makes the arrays of a voice, but for its prints, of stretches of a volunteer's speech, (N,) each at `RATE`."""

    def __init__(self, models: Path | None = None) -> None:
        self.content, self.trunk = open_content(models), open_trunk()

    def __call__(self, stretches: Sequence[Floats]) -> Mapping[str, Floats]:
        return make(stretches, RATE, self.content, self.trunk)
