"""Every command of the README, of docs/audit.md and of docs/voice.md: clips are protected and audited, voices made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.documented import GROUPS, documented, furnish, run_all


def test_every_page_is_of_one_group() -> None:
    assert sorted(documented()) == sorted(page for pages in GROUPS.values() for page in pages)


@pytest.fixture
def desk(tmp_path: Path, short_witness: Path, double_path: Path) -> Path:
    furnish(tmp_path, short_witness, double_path)
    return tmp_path


def test_every_documented_command_runs(desk: Path) -> None:
    commands = run_all("clips", desk)
    assert any("protect" in c for c in commands) and any("double make" in c for c in commands)
    assert "Khaled" not in (desk / "safe.srt").read_text() and (desk / "takes" / "turn-003.take-01.wav").is_file()
