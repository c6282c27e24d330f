"""The laws of the house, read off its source."""

from __future__ import annotations

import ast
import json
import pkgutil
import runpy
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import tincture

HOUSE = Path(tincture.__file__).parent
ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(HOUSE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}

# From the ground up; a room imports from its own room or from below.
FLOORS = tomllib.loads((ROOT / "docs/house.toml").read_text(encoding="utf-8"))["floor"]
FLOOR = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}


def module(path: Path) -> str:
    """``privacy.vault`` for tincture/privacy/vault.py."""
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return ".".join(p for p in parts if p != "__init__") or "__init__"


MODULES = {module(path): tree for path, tree in TREES.items()}


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module named in an import, wherever it stands; ``from a import b`` as a.b too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(tree: ast.AST) -> set[str]:
    """The modules of the house that are imported."""
    named = {n.removeprefix("tincture.") for n in imports(tree) if n.startswith("tincture.")}
    return named & MODULES.keys()


def room(name: str) -> str:
    return name.split(".")[0]


def test_every_room_has_its_floor() -> None:
    assert {room(name) for name in MODULES} - {"__init__"} <= FLOOR.keys()


def test_imports_run_downwards_only() -> None:
    upward = [
        f"{name} imports {other}"
        for name, tree in MODULES.items()
        if name != "__init__"
        for other in own(tree)
        if FLOOR[room(other)] >= FLOOR[room(name)] and room(other) != room(name)
    ]
    assert not upward


def face(package: str) -> set[str]:
    """What a room, or a room within, shows to others: modules, or names that it hands on."""
    for node in MODULES[package].body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def test_a_room_is_entered_by_its_face() -> None:
    """What ``__all__`` of a room does not name is its own."""
    packages = {module(path) for path in FILES if path.name == "__init__.py"} - {"__init__"}
    private = [
        f"{name} imports {other}"
        for name, tree in MODULES.items()
        for other in imported(tree)
        for package in packages
        if other.startswith(f"{package}.") and not f"{name}.".startswith(f"{package}.")
        if other.removeprefix(f"{package}.").split(".")[0] not in face(package)
    ]
    assert not private


def test_a_face_names_what_is_there() -> None:
    for path in FILES:
        if path.name != "__init__.py" or path == HOUSE / "__init__.py":
            continue
        there = {p.stem for p in path.parent.iterdir() if p.suffix == ".py" or p.is_dir()}
        own = {
            alias.name if isinstance(node, ast.ImportFrom) else node.name
            for node in TREES[path].body
            if isinstance(node, ast.ImportFrom | ast.FunctionDef)
            for alias in (node.names if isinstance(node, ast.ImportFrom) else [node])
        }
        assert face(module(path)) <= there | own, path


def imported(tree: ast.AST) -> Iterator[str]:
    """Each module or name of the house that is taken, as a path."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tincture."):
            base = (node.module or "").removeprefix("tincture.")
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                is_package = base in MODULES and (HOUSE / base.replace(".", "/")).is_dir()
                yield inner if is_package else base


def test_the_map_is_that_of_the_table() -> None:
    house = runpy.run_path(str(ROOT / "docs/house.py"))
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert house["mapped"](page) == page  # else: python docs/house.py


def test_no_imports_run_in_a_circle() -> None:
    below = {name: own(tree) - {name} for name, tree in MODULES.items() if name != "__init__"}
    while free := [name for name, needs in below.items() if not needs & below.keys()]:
        for name in free:
            del below[name]
    assert not below


def test_nothing_inside_imports_the_house_itself() -> None:
    for name, tree in MODULES.items():
        assert "tincture" not in set(imports(tree)), name


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda p: p.stem)
def test_what_a_benchmark_imports_of_the_house_is_there(path: Path) -> None:
    """None runs here, and some need what is not installed."""
    for name in imports(ast.parse(path.read_text(encoding="utf-8"))):
        if name.split(".")[0] == "tincture":
            assert pkgutil.resolve_name(name) is not None


def test_only_the_vault_opens_the_noise() -> None:
    users = {name for name, tree in MODULES.items() if "privacy.noise" in own(tree)}
    assert users == {"privacy.vault"}
    others = [n for n, tree in MODULES.items() if any("opendp" in i for i in imports(tree))]
    assert others == ["privacy.noise"]


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_print_only_on_the_command_line() -> None:
    printing = [n for n, t in MODULES.items() for f, _ in calls(t) if f == "print"]
    assert {room(name) for name in printing} <= {"cli"}


def test_search_randomness_is_an_explicit_generator_with_a_seed() -> None:
    for name, tree in MODULES.items():
        used = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("np.random")
        }
        assert used <= {"Generator", "default_rng"}, name
        assert "random" not in set(imports(tree)), name
        for function, call in calls(tree):
            if function.endswith("default_rng"):
                assert call.args or call.keywords, f"{name}: default_rng() without a seed"


def test_the_noise_takes_no_seed() -> None:
    for node in ast.walk(MODULES["privacy.noise"]):
        if isinstance(node, ast.arg):
            assert node.arg not in {"seed", "rng", "random_state", "generator"}
        if isinstance(node, ast.Attribute):
            assert "random" not in ast.unparse(node) or ast.unparse(node) == "os.urandom"


def test_files_and_functions_stay_short() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert max(lengths.values()) <= 500
    assert statistics.median(lengths.values()) <= 150
    long = [
        f"{module(path)}.{node.name}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and code_lines(node) > 60
    ]
    assert not long


def code_lines(node: ast.FunctionDef) -> int:
    """Lines of a function after its docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_the_environment_decides_nothing() -> None:
    reading = [
        name
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    ]
    assert {room(name) for name in reading} <= {"cli"}


def test_importing_the_house_is_quick_and_loads_no_library_of_weight() -> None:
    """Under half a second of computing: the median of five fresh processes; it takes 0.05 s."""
    script = (
        "import sys, time, json; start = time.process_time(); import tincture; "
        "took = time.process_time() - start; print(json.dumps([took, sorted(sys.modules)]))"
    )
    runs = [
        json.loads(
            subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
        )
        for _ in range(6)
    ]
    assert statistics.median(took for took, _ in runs[1:]) < 0.5  # the first warms the cache
    modules = runs[0][1]
    heavy = {
        "numba",
        "sklearn",
        "pandas",
        "torch",
        "scipy",
        "matplotlib",
        "dp_accounting",
        "opendp",
    }
    assert not heavy & set(modules)


@pytest.mark.parametrize("name", [n for n in tincture.__all__ if n != "__version__"])
def test_every_public_name_is_found(name: str) -> None:
    assert getattr(tincture, name).__name__.lower() == name.lower()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        tincture.nonsense  # noqa: B018


TESTS = sorted(Path(__file__).parent.rglob("*.py"))
PATCHES = ("setattr", "delattr", "patch", "patch.object")


def replaced(tree: ast.AST) -> Iterator[str]:
    """Names inside the house to which a test file assigns, by a patch or by hand."""
    ours = {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (getattr(node, "module", None) or alias.name).split(".")[0] == "tincture"
    }
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = [t for t in node.targets if isinstance(t, ast.Attribute)]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(PATCHES):
            targets = node.args[:1]
        for target in targets:
            name = target.value if isinstance(target, ast.Constant) else ast.unparse(target)
            if str(name).split(".")[0] in ours | {"tincture"}:
                yield str(name)


@pytest.mark.parametrize(
    "code",
    [
        "monkeypatch.setattr('tincture.tables.proxy.STYLES', {})",
        "from tincture.privacy import vault as v\npatch.setattr(v, 'GRID', 1)",
        "import tincture.cli\ntincture.cli.main = print",
        "from unittest import mock\nmock.patch('tincture.cli.main')",
    ],
)
def test_a_test_that_replaces_something_is_seen(code: str) -> None:
    assert list(replaced(ast.parse(code)))


def test_tests_replace_nothing_inside_the_house() -> None:
    """What a test needs otherwise is a parameter, or a method that a subclass overrides."""
    found = {p.name: list(replaced(ast.parse(p.read_text(encoding="utf-8")))) for p in TESTS}
    assert {name: names for name, names in found.items() if names} == {}
