"""The documentation holds together: contents, links, decisions, forms, citation, versions."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "examples/*.md", "benchmarks/*.md")
    for page in ROOT.glob(pattern)
)
DECISIONS = sorted((ROOT / "docs/decisions").glob("0*.md"))
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
UNTESTED = {"ruff", "mypy", "pandas-stubs", "types-pyyaml"}  # check the source, run no test


def told(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def prose(page: Path) -> str:
    """A page without its code."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^(```+|~~~+).*?^\1", "", text, flags=re.M | re.S))


@cache
def anchors(page: Path) -> set[str]:
    """What GitHub, and MyST after it, call the headings of a page."""
    text = re.sub(r"^(```+).*?^\1", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#{1,4} (.+)$", text, flags=re.M)
    }


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = {
        page
        for pages in runpy.run_path(str(ROOT / "docs/conf.py"))["CONTENTS"].values()
        for page in pages
    }
    pages = {told(p).removesuffix(".md"): p for p in PAGES}
    assert listed <= pages.keys()
    # A folder's README is the page above its siblings.
    below = {
        name
        for name, page in pages.items()
        if told(page.with_name("README.md")).removesuffix(".md") in listed
    }
    assert pages.keys() - listed - below == {"README"}


@pytest.mark.parametrize("page", PAGES, ids=told)
def test_relative_links_lead_to_a_page_and_a_heading(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link  # a folder is no page of the site
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=told)
def test_a_page_has_one_title_and_begins_with_it(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert sum(line.startswith("# ") for line in prose(page).splitlines()) == 1


def test_a_decision_is_one_page_and_listed() -> None:
    assert all(len(p.read_text(encoding="utf-8").splitlines()) <= 60 for p in DECISIONS)
    index = prose(ROOT / "docs/decisions/README.md")
    for page in DECISIONS:
        number = int(page.name[:4])
        assert f"[{number}]({page.name})" in index, page.name
        assert page.read_text(encoding="utf-8").startswith(f"# {number}. "), page.name


def test_a_trial_is_that_of_a_decision() -> None:
    index = prose(ROOT / "docs/trials/README.md")
    for page in (ROOT / "docs/trials").glob("0*.md"):
        assert (ROOT / "docs/decisions" / page.name).is_file(), page.name
        assert f"]({page.name})" in index, page.name


def test_issue_forms_can_be_filled_in() -> None:
    """`.ci/run` checks their schema; here, that each asks something, under names of their own."""
    forms = {f.name: yaml.safe_load(f.read_text(encoding="utf-8")) for f in FORMS}
    assert forms.pop("config.yml").keys() == {"blank_issues_enabled"}
    assert forms.keys() == {"fault.yml", "privacy_fault.yml", "new_model.yml", "new_format.yml"}
    for name, form in forms.items():
        asked = [part for part in form["body"] if part["type"] != "markdown"]
        ids = [part["id"] for part in asked]
        assert len(ids) == len(set(ids)), name
        assert any(part.get("validations", {}).get("required") for part in asked), name


def test_the_citation_names_the_version() -> None:
    citation: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]


def pinned(name: str) -> dict[str, Version]:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert all(p.url is None for p in pins)  # names no registry
    return {canonicalize_name(p.name): Version(str(p.specifier).removeprefix("==")) for p in pins}


def asked(*extras: str) -> list[Requirement]:
    """The direct dependencies, on the kind of machine that tests run on."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    here = {"platform_system": "Linux"}
    found = [Requirement(line) for line in lines]
    return [r for r in found if r.marker is None or r.marker.evaluate(here)]


def test_the_lock_holds_all_that_ci_installs() -> None:
    lock = pinned("ci.txt")
    for requirement in asked("test", "docs"):
        assert requirement.specifier.contains(lock[canonicalize_name(requirement.name)])
    assert "torch" not in lock  # its build depends on the machine; `.ci/run` names the version


def test_the_oldest_set_is_the_lower_bounds() -> None:
    oldest = pinned("oldest.txt")
    for requirement in asked("test", "survival"):
        name = canonicalize_name(requirement.name)
        if name in UNTESTED:
            continue
        (bound,) = requirement.specifier
        assert bound.operator == ">="
        # A bound may leave out what is behind its last number: 1.36 stands for the first 1.36.
        assert oldest[name].release[: len(Version(bound.version).release)] == (
            Version(bound.version).release
        ), name


# The page on recipients is what its own command writes from its results: nothing is put in by hand.
def test_the_page_on_recipients_is_written_from_its_results(tmp_path: Path) -> None:
    folder, page = ROOT / "benchmarks", ROOT / "benchmarks/recipients.md"
    results, out = tmp_path / "results.jsonl", tmp_path / "page.md"
    shutil.copy(folder / "recipients.jsonl", results)
    text = page.read_text(encoding="utf-8").replace("\\\n", "")
    for command in re.findall(r"^    python benchmarks/recipients.py(.*)$", text, re.M):
        flags = command.replace("RESULTS", str(results)).replace("OUT", str(out)).split()
        subprocess.run([sys.executable, folder / "recipients.py", *flags], check=True)
    assert out.read_text(encoding="utf-8") == page.read_text(encoding="utf-8")
    assert results.read_bytes() == (folder / "recipients.jsonl").read_bytes()
