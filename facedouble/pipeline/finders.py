"""What besides faces may tell who somebody is: the one place where finders are plugged in.

A finder gets a picture of the footage and says where something is and, if it can, what it says (`types.Finder`). Whatever is
entered in `FINDERS` is run by `facedouble plan find`, comes into the checklist, and is tested with all others
(`tests/pipeline/test_checklist.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from facedouble.models.install import locate
from facedouble.models.text import text_finder
from facedouble.types import Finder

Opener = Callable[[Path | None], Finder]
"""Folder of the models, None for the usual one -> a finder; ModelError with the remedy if a model is missing or altered."""


def _text(models: Path | None) -> Finder:
    """On-screen text: signs, number plates, name tags, logos, documents, subtitles."""
    return text_finder(locate("text", models), locate("letters", models))


FINDERS: Final[Mapping[str, Opener]] = MappingProxyType({"text": _text})
"""By the word with which their lines of the checklist begin."""
