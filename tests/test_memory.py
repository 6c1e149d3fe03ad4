"""Freed memory is kept, within bounds."""

from __future__ import annotations

import subprocess
import sys

from facedouble.memory import keep_memory

# Page faults of four rounds of 64 MiB; a process of its own, because the setting cannot be taken back.
PROGRAM = """
import resource
import numpy as np
from facedouble.memory import keep_memory
if {kept}:
    assert keep_memory()
np.ones(8 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    np.ones(8 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(kept: bool) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(kept=kept)], stdout=subprocess.PIPE, check=True)
    return int(done.stdout)


def test_freed_memory_is_used_again() -> None:
    assert faults(True) < 100
    assert keep_memory() == keep_memory()
