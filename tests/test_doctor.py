from __future__ import annotations

import re
from pathlib import Path

import pytest

from facedouble import doctor
from facedouble.doctor import Finding, examine
from facedouble.models.registry import WANTED


def test_one_line_each_and_a_remedy_for_what_is_wrong(tmp_path: Path) -> None:
    findings = examine(tmp_path)
    names = [finding.what for finding in findings]
    assert len(names) == len(set(names))
    assert {"Python", "cores", "memory", "GPU", "network interfaces", "network denial",
            "reading apart"} <= set(names)
    assert {f"model {name}" for name in WANTED} <= set(names)
    for finding in findings:
        assert finding.detail and "\n" not in finding.detail
        assert finding.ok is not False or finding.remedy


def test_a_missing_model_is_found(tmp_path: Path) -> None:
    yunet = next(finding for finding in examine(tmp_path) if finding.what == "model yunet")
    assert yunet.ok is False
    assert "facedouble models install" in yunet.remedy


def test_the_denial_works_here_and_the_test_process_keeps_its_sockets() -> None:
    assert doctor._denial() == Finding("network denial", True, "works, by seccomp and hook")


def test_what_keeps_the_reading_of_footage_in_is_said() -> None:
    found = doctor._apart()
    assert found.ok and re.search(r"landlock \d+, seccomp, limits$", found.detail)


@pytest.mark.parametrize(("states", "ok"), [({"lo": "unknown"}, True), ({"lo": "unknown", "eth0": "down"}, True),
                                            ({"eth0": "up"}, None), ({"wg0": "unknown"}, None)])
def test_interfaces(tmp_path: Path, states: dict[str, str], ok: bool | None) -> None:
    for name, state in states.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "operstate").write_text(state + "\n")
    assert doctor._interfaces(tmp_path).ok is ok


def test_a_wrong_version_is_found() -> None:
    assert doctor._library("numpy", "0.1").ok is False
    assert doctor._library("no-such-package", "1").detail == "missing, pinned is 1"
