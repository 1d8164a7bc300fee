"""What counts as a changed, unfinished, refused or deleted file, on real files; docs/faults.md 17, 18, 23."""

import os
import time
from pathlib import Path

import pytest

from actors.scanner import Changed, Refused, Removed, Scanner
from actors.sources import allow_leases

GOOD = "version: 1\n"


allow_leases()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def settled(scanner: Scanner) -> list[object]:
    """Scan until nothing is unfinished, as the watcher does."""
    found: list[object] = []
    for _ in range(100):
        findings, unsettled = scanner.scan()
        found += findings
        if not unsettled:
            return found
        time.sleep(0.02)
    raise AssertionError("never settled")


def names(findings: list[object]) -> list[tuple[str, str]]:
    return [(type(f).__name__, f.name) for f in findings]  # type: ignore[attr-defined]


def test_new_and_changed_files_are_found_once(root: Path) -> None:
    scanner = Scanner(root)
    (root / "acme.yaml").write_text(GOOD)
    assert names(settled(scanner)) == [("Changed", "acme")]
    assert settled(scanner) == []
    (root / "acme.yaml").write_text(GOOD)  # what was refused may be possible by now
    assert names(settled(scanner)) == [("Changed", "acme")]
    (root / "acme.yaml").write_text(GOOD + "# more\n")
    [finding] = settled(scanner)
    assert isinstance(finding, Changed)
    assert finding.source.text == (GOOD + "# more\n").encode()


def test_a_file_still_being_written_is_not_taken(root: Path) -> None:
    scanner = Scanner(root)
    with (root / "acme.yaml").open("w") as writer:
        writer.write("version: 1\nservi")
        writer.flush()
        for _ in range(10):
            findings, unsettled = scanner.scan()
            assert findings == []
            assert unsettled
        writer.write("ce: {name: acme}\n")
    [finding] = settled(scanner)
    assert isinstance(finding, Changed)
    assert finding.source.text.endswith(b"{name: acme}\n")


@pytest.mark.parametrize("style", ["rename", "backup", "truncate"])
def test_editors_ways_of_saving_give_one_change(root: Path, style: str) -> None:
    path = root / "acme.yaml"
    path.write_text(GOOD)
    scanner = Scanner(root)
    settled(scanner)
    if style == "rename":
        (root / ".acme.yaml.tmp").write_text("version: 2\n")
        (root / ".acme.yaml.tmp").rename(path)
    elif style == "backup":
        path.rename(root / "acme.yaml~")
        scanner.scan()
        path.write_text("version: 2\n")
    else:
        path.write_text("version: 2\n")
    assert names(settled(scanner)) == [("Changed", "acme")]


def test_deletion_counts_only_after_a_moment(root: Path) -> None:
    path = root / "acme.yaml"
    path.write_text(GOOD)
    scanner = Scanner(root)
    settled(scanner)
    path.unlink()
    assert scanner.scan() == ([], True)
    assert names(settled(scanner)) == [("Removed", "acme")]
    path.write_text(GOOD)
    assert names(settled(scanner)) == [("Changed", "acme")]


def test_a_recreated_folder_brings_its_files_back(root: Path) -> None:
    folder = root / "schemas"
    folder.mkdir()
    (folder / "acme.yaml").write_text(GOOD)
    scanner = Scanner(folder)
    settled(scanner)
    (folder / "acme.yaml").unlink()
    folder.rmdir()
    assert names(settled(scanner)) == [("Removed", "acme")]
    folder.mkdir()
    (folder / "acme.yaml").write_text(GOOD)
    assert names(settled(scanner)) == [("Changed", "acme")]


def test_a_swapped_link_inside_the_folder_is_a_change(root: Path) -> None:
    """Kubernetes mounts: acme.yaml -> ..data/acme.yaml, ..data -> a folder that is swapped."""
    for number in (1, 2):
        (root / f"..{number}").mkdir()
        (root / f"..{number}" / "acme.yaml").write_text(f"version: {number}\n")
    (root / "..data").symlink_to("..1")
    (root / "acme.yaml").symlink_to("..data/acme.yaml")
    scanner = Scanner(root)
    assert names(settled(scanner)) == [("Changed", "acme")]
    (root / "..next").symlink_to("..2")
    (root / "..next").rename(root / "..data")
    [finding] = settled(scanner)
    assert isinstance(finding, Changed)
    assert finding.source.text == b"version: 2\n"


def test_what_is_no_plain_file_of_the_folder_is_refused_once(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.yaml"
    outside.write_text(GOOD)
    (root / "link.yaml").symlink_to(outside)
    os.link(outside, root / "hard.yaml")
    os.mkfifo(root / "fifo.yaml")
    (root / "folder.yaml").mkdir()
    scanner = Scanner(root)
    findings = settled(scanner)
    assert {f.name for f in findings if isinstance(f, Refused)} == {"link", "hard", "fifo", "folder"}
    assert not [f for f in findings if isinstance(f, Changed | Removed)]
    assert settled(scanner) == []


def test_what_the_disk_does_not_give_is_refused_once_and_tried_again() -> None:
    """A process's own memory is a file whose first byte nobody can read: EIO."""
    scanner = Scanner(Path("/proc/self"), "mem")
    assert scanner.scan() == ([Refused("", "mem cannot be read: Input/output error")], False)
    assert scanner.scan() == ([], False)
    assert scanner.trouble == ""


def test_a_circle_of_links_is_refused(root: Path) -> None:
    (root / "a.yaml").symlink_to("b.yaml")
    (root / "b.yaml").symlink_to("a.yaml")
    assert names(settled(Scanner(root))) == [("Refused", "a"), ("Refused", "b")]


def test_times_set_back_do_not_hide_a_change(root: Path) -> None:
    path = root / "acme.yaml"
    path.write_text("version: 1\n")
    scanner = Scanner(root)
    settled(scanner)
    status = path.stat()
    path.write_text("version: 2\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert names(settled(scanner)) == [("Changed", "acme")]


def test_a_huge_file_is_cut_where_the_compiler_refuses_it(root: Path) -> None:
    with (root / "acme.yaml").open("wb") as file:
        file.truncate(100 << 20)
    [finding] = settled(Scanner(root))
    assert isinstance(finding, Changed)
    assert len(finding.source.text) == (1 << 20) + 1


def test_a_thousand_files_at_once(root: Path) -> None:
    for number in range(1000):
        (root / f"t{number:04}.yaml").write_text(GOOD)
    scanner = Scanner(root)
    assert len(settled(scanner)) == 1000
    assert settled(scanner) == []
