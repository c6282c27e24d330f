"""What looked at real records is never written into a release, whichever, by whatever way."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands import listing, run
from series_helpers import stays_release
from tincture.errors import ReleaseError
from tincture.io.files import LEDGER, PACKAGE, require_outside
from tincture.stays.bench import evaluate_series
from tincture.stays.target import audit_stays
from tincture.tables.bench import evaluate
from tincture.tables.condenser import Condenser
from tincture.tables.target import audit


@pytest.fixture
def release(condensed: Condenser, tmp_path: Path) -> Path:
    """A release, and another one in the same folder."""
    for name in ("out", "other"):
        condensed.save(tmp_path / name)
    return tmp_path / "out"


# The records that these name are absent: nothing is refused for lack of them first.
COMMANDS = {
    "evaluate": "--train no.csv --test no.csv --report",
    "audit": "--records no.csv --held-out no.csv --out",
    "evaluate-series": "no.csv --train no.csv --test no.csv --report",
    "audit-series": "no.csv --records no.csv --held-out no.csv --out",
}


def ask(command: str, release: Path, page: Path) -> Any:
    return run(command, release, *COMMANDS[command].split(), page)


def through_a_link(release: Path) -> Path:
    (release.parent / "link").symlink_to(release)
    return release.parent / "link" / "page"


def through_a_link_inside(release: Path) -> Path:
    """A copy of the release that follows links holds what they lead to."""
    (release.parent / "elsewhere").mkdir()
    (release / "link").symlink_to(release.parent / "elsewhere")
    return release / "link" / "page"


def deep_inside(release: Path) -> Path:
    (release / "a" / "b").mkdir(parents=True)
    return release / "a" / "b" / "page"


INSIDE: dict[str, Callable[[Path], Path]] = {
    "in it": lambda release: release / "page",
    "in another": lambda release: release.parent / "other" / "page",
    "round about": lambda release: release.parent / "other" / ".." / "out" / "page",
    "deep inside": deep_inside,
    "through a link": through_a_link,
    "through a link inside": through_a_link_inside,
}


@pytest.mark.parametrize("where", INSIDE)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_page_or_audit_is_written_into_a_release(
    command: str, where: str, release: Path
) -> None:
    page = INSIDE[where](release)
    before = listing(release.parent)
    said = ask(command, release, page)
    assert (said.code, said.out, said.err.count("\n")) == (8, "", 1)
    assert "lies inside the release" in said.err
    assert listing(release.parent) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_looks_at_a_release_inside_another_are_not_written_there(
    command: str, release: Path, condensed: Condenser
) -> None:
    condensed.save(release / "inner")
    before = listing(release.parent)
    said = ask(command, release / "inner", release.parent / "page")
    assert (said.code, "inner.in-house.jsonl lies inside the release" in said.err) == (8, True)
    assert listing(release.parent) == before


# They are given no records at all.
LOOKS: dict[str, Callable[[Condenser, Path], Any]] = {
    "evaluate": lambda made, path: evaluate(made.table_, None, None, in_house=path),
    "audit": lambda made, path: audit(made.table_, None, None, in_house=path),
    "evaluate_series": lambda made, path: evaluate_series(
        stays_release(made.ledger), None, None, None, networks=[], in_house=path
    ),
    "audit_stays": lambda made, path: audit_stays(
        stays_release(made.ledger), None, None, None, in_house=path
    ),
}


@pytest.mark.parametrize("look", LOOKS)
def test_no_ledger_of_looks_is_kept_in_a_release(
    look: str, release: Path, condensed: Condenser
) -> None:
    before = listing(release.parent)
    with pytest.raises(ReleaseError, match="lies inside the release"):
        LOOKS[look](condensed, release / "looks.jsonl")
    (release.parent / "looks.jsonl").symlink_to(release / "looks.jsonl")
    with pytest.raises(ReleaseError, match="lies inside the release"):
        LOOKS[look](condensed, release.parent / "looks.jsonl")
    os.unlink(release.parent / "looks.jsonl")
    assert listing(release.parent) == before


@pytest.mark.parametrize(
    ("package", "ledger", "is_release"),
    [
        ('{"tincture": {}}', None, True),
        ("{}", "{}", True),
        ("damaged", "", True),
        ('{"name": "of another program"}', None, False),
        ("damaged", None, False),
        ("[]", None, False),
        (None, "{}", False),
    ],
)
def test_a_release_is_known_by_its_files(
    package: str | None, ledger: str | None, is_release: bool, tmp_path: Path
) -> None:
    for name, content in ((PACKAGE, package), (LEDGER, ledger)):
        if content is not None:
            (tmp_path / name).write_text(content)
    if not is_release:
        require_outside(tmp_path / "page")
        return
    with pytest.raises(ReleaseError):
        require_outside(tmp_path / "page")
    require_outside(tmp_path.with_name("page"))


def test_beside_a_release_is_not_inside(release: Path) -> None:
    require_outside(release / ".." / "page.html")
    require_outside(release.with_name("out.in-house.jsonl"))
    assert json.loads((release / PACKAGE).read_text())["tincture"]
