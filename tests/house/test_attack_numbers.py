"""What tests say they attack or break is on the pages that list it."""

import re

from tests.live import ROOT

_WORD = re.compile(r"docs/(attacks|faults)\.md ((?:[A-H]?[0-9]{1,2}(?:, | and | to )?)+)")


def test_numbers_that_tests_name_are_on_their_page() -> None:
    listed = {
        page: set(
            re.findall(r"^\| ([A-H]?[0-9]+) \|", (ROOT / "docs" / f"{page}.md").read_text(), re.MULTILINE)
        )
        for page in ("attacks", "faults")
    }
    assert len(listed["attacks"]) > 100
    named = [
        (file, page, number)
        for file in (ROOT / "tests").rglob("*.py")
        for page, numbers in _WORD.findall(file.read_text())
        for number in re.findall(r"[A-H]?[0-9]+", numbers)
    ]
    assert len(named) > 20
    assert [item for item in named if item[2] not in listed[item[1]]] == []
