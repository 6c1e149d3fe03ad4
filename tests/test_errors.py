from __future__ import annotations

import pytest

from facedouble import errors
from facedouble.errors import ExitCode, FacedoubleError

TREE = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, FacedoubleError)]

CODES = {"FacedoubleError": 1, "UsageError": 2, "AuditFailed": 3, "ConsentError": 4, "StoreError": 5, "MachineError": 6,
         "InputRefused": 7, "NoFaceFound": 7, "TakeRefused": 7, "ModelError": 8}


def test_exit_codes_are_the_documented_ones() -> None:
    assert [(code.name, code.value) for code in ExitCode] == [
        ("DONE", 0), ("BUG", 1), ("USAGE", 2), ("AUDIT", 3), ("CONSENT", 4), ("STORE", 5), ("MACHINE", 6),
        ("INPUT", 7), ("MODEL", 8), ("HIDDEN", 9), ("INTERRUPTED", 130)]


@pytest.mark.parametrize("kind", TREE)
def test_each_error_has_its_code_and_says_what_it_is(kind: type[FacedoubleError]) -> None:
    assert kind.exit_code == CODES[kind.__name__]
    assert kind.__doc__ and kind.__doc__.endswith(".")
    assert str(kind("a sentence")) == "a sentence"


def test_the_tree_is_complete() -> None:
    assert {kind.__name__ for kind in TREE} == set(CODES)
