"""What the documents say of files and of each other: links lead somewhere, tests and modules that they name are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    return (ROOT / name).read_text()


def anchors(page: str) -> set[str]:
    """The names that headings have in links."""
    found = re.findall(r"^#+ (.*)$", FENCED.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", TEXTS, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", page.read_text())):
        name, _, anchor = link.partition("#")
        if not name.startswith("http"):
            there = page.parent / name if name else page
            assert there.exists(), link
            assert not anchor or anchor in anchors(there.read_text()), link


def test_every_page_can_be_reached_from_the_first() -> None:
    linked = set(re.findall(r"\]\(docs/([\w-]+\.md)", text("README.md")))
    assert linked == {page.name for page in TEXTS if page.parent.name == "docs"}


def test_the_threat_model_names_tests_that_are_there() -> None:
    named = re.findall(r"`((?:\w+/)*test_\w+\.py)`", text("docs/threat-model.md"))
    assert len(named) > 40
    assert [name for name in named if not (ROOT / "tests" / name).is_file()] == []


@pytest.mark.parametrize("folder", ["age", "airgap", "store"])
def test_every_test_of_what_keeps_a_project_is_in_the_threat_model(folder: str) -> None:
    """A test that the page leaves out is of a protection, or a limit, that nobody reads about."""
    said = text("docs/threat-model.md")
    there = [f"{folder}/{path.name}" for path in (ROOT / "tests" / folder).glob("test_*.py")]
    assert there
    assert [name for name in there if f"`{name}`" not in said] == []


@pytest.mark.parametrize("folder", ["age", "airgap", "store", "media/apart"])
def test_the_layout_names_every_module_of_a_project(folder: str) -> None:
    page = text("docs/architecture.md")
    layout = page[page.index("## Layout") : page.index("## Values that travel")]
    hidden = {"__init__", "wire", "errors"}  # the last two say what their neighbours throw and send
    names = {path.stem for path in (ROOT / "facedouble" / folder).glob("*.py")} - hidden
    assert names
    assert {name for name in names if not re.search(rf"\b{name}\b", layout)} == set()


def test_nothing_is_promised_for_later() -> None:
    assert not re.search(r"\(later|not there yet", text("docs/architecture.md") + text("docs/threat-model.md"), re.IGNORECASE)


def test_the_short_way_through_a_project_is_the_one_that_a_test_walks() -> None:
    """tests/cli/test_first_card.py runs that page; the README repeats some of its lines, in their order."""
    lines = [line for block in FENCED.findall(text("README.md")) for line in block.splitlines()]
    walked = re.findall(r"^ {4}(facedouble .*)$", text("docs/first-card-to-release.md"), re.MULTILINE)
    places = [walked.index(line) for line in lines if line.startswith("facedouble ")]
    assert len(places) > 5 and places == sorted(places)
