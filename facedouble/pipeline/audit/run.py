"""The audit of a finished film, from its bytes to its verdict; in a process of its own, which draws nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final

from facedouble import __version__
from facedouble.audit.account import Account
from facedouble.audit.likeness import Known
from facedouble.audit.said import Said
from facedouble.audit.verdict import Audit, Check
from facedouble.errors import InputRefused, StoreError, UsageError
from facedouble.isolation import deny_network, no_core_dumps
from facedouble.media.probe import probe
from facedouble.models.landmarker import FaceMesh
from facedouble.models.registry import AUDIT, MODELS
from facedouble.options import Options
from facedouble.pipeline.audit import attacked, people
from facedouble.pipeline.audit.about import About
from facedouble.pipeline.audit.account import account_of_plan, card_frames, places
from facedouble.pipeline.audit.container import container
from facedouble.pipeline.audit.heard import heard, open_ears
from facedouble.pipeline.audit.page import page
from facedouble.pipeline.audit.pictures import pictures
from facedouble.pipeline.audit.said import said_of_plan, said_of_report
from facedouble.pipeline.audit.seen import open_models, seen
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.publish import write_over
from facedouble.types import MediaInfo, Value

Progress = Callable[[str, int, int | None], None]
PLAN: Final = ".plan.toml"
FORMAT: Final = "facedouble-audit-1"
BLOCK: Final = 1 << 20
