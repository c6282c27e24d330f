"""What NVIDIA FLARE carries, and what a job may do: all of it without the engine, but the end."""

from __future__ import annotations

import ast
import json
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

import tincture
from commands import prepare, run
from helpers import QUICK, SCHEMA, make_table
from sites import NAMES, make_site, question
from sites import job_of as usual_job
from test_laws import MODULES, imports
from tincture import Condenser
from tincture.errors import Refused, SettingError
from tincture.federation.books import JOURNAL, told_of_books
from tincture.federation.consortium import Consortium
from tincture.federation.question import Question
from tincture.flare import kit as kits
from tincture.flare.carrying import (
    LOST,
    QUESTION,
    REFUSED,
    SENT,
    SHARE,
    STATE,
    TICK,
    Carried,
    reply_of,
    until_tick,
)
from tincture.flare.kit import Kit, Serving
from tincture.flare.running import AGREED, FAILED, RELEASE, conducted, opened_as
from tincture.flare.session import job_of
from tincture.kinds import load
from tincture.privacy.budget import Budget
from tincture.spine.questions import CellCounts

TOLD = {
    "client": {"client": {"fqsn": "north"}},
    "server": {"servers": [{"admin_server": "server"}]},
    "admin": {"admin": {"username": "lead"}},
}
RESOURCES: dict[str, Any] = {
    "class_allow_list": ["nvflare.app_common.workflows.fedavg.FedAvg"],
    "allow_log_streaming": True,
    "snapshot_persistor": {"args": {"storage": {"args": {"root_dir": "/tmp/snapshots"}}}},
    "components": [
        {"id": "resource_manager", "path": "a.B", "args": {}},
        {"id": "site_log_streamer", "path": "a.C", "args": {}},
        {"id": "job_manager", "path": "a.D", "args": {"uri_root": "/tmp/jobs"}},
    ],
}


def first(number: int = 0) -> Question:
    return question(CellCounts(usual_job().task), number)


# On the way -----------------------------------------------------------------------------------


def test_a_site_replies_with_a_share_or_one_of_two_words() -> None:
    site, content = make_site(), first().packed()
    sent = reply_of(site, content)
    assert sent == reply_of(site, content)
    assert (sent[STATE], len(sent[SHARE])) == (SENT, 16)
    for strange in (None, 3, "text", content[:-1], first(2).packed(), b""):
        assert reply_of(site, strange) == {STATE: REFUSED}
    assert reply_of(None, content) == {STATE: REFUSED}
    site._books._shares.clear()  # as a kill loses them
    assert reply_of(site, content) == {STATE: LOST}


def test_a_disk_that_is_full_is_refused_in_a_word_too() -> None:
    site = make_site()

    def full(line: object) -> None:
        raise OSError(28, "No space left on device")

    site.ledger.note = full  # type: ignore[method-assign]
    assert reply_of(site, first().packed()) == {STATE: REFUSED}


def test_shares_come_in_the_order_of_names_and_what_lacks_is_lost() -> None:
    one = np.array([2**63 + 1, 5], dtype="<u8")
    usual = {n: {STATE: SENT, SHARE: (one * i).tobytes()} for i, n in enumerate(NAMES, 1)}

    def asked(**changes: Any) -> Any:
        replies = {name: reply for name, reply in (usual | changes).items() if reply is not None}
        return Carried(NAMES, lambda content, seconds: replies).ask(first(), 1.0)

    np.testing.assert_array_equal(asked(), [one, one * 2, one * 3])
    assert asked(south=None) is None
    assert asked(south={STATE: LOST}) is None
    for reply in ({STATE: REFUSED}, {}, {STATE: "else"}):
        with pytest.raises(Refused):
            asked(south=reply)
    for odd in (None, "text", b"1234567"):
        assert [len(share) for share in asked(east={STATE: SENT, SHARE: odd})] == [2, 2, 0]


@pytest.mark.parametrize("took", [0.0, 0.3, 2.9])
def test_answers_leave_on_ticks(took: float) -> None:
    clock = [100.0 + took]
    until_tick(100.0, lambda: clock[0], lambda s: clock.append(clock[0] + s))
    left = clock[-1] - 100.0
    assert left == pytest.approx(TICK * (took // TICK + 1))


# At both ends ---------------------------------------------------------------------------------


def prepared(folder: Path) -> tuple[Consortium, dict[str, Serving]]:
    """Three sites' files in one folder, and what they agreed on."""
    settings: dict[str, Any] = {
        "target": "died",
        "models": ["logistic"],
        "n_rows": 16,
        "effort": QUICK,
    }
    dropped = ["days", "event", "stage", "patient"]
    estimator = Condenser(schema=SCHEMA, epsilon=12.0, delta=1e-5, drop=dropped, **settings)
    made = Consortium.of(estimator, NAMES)
    (folder / AGREED).write_text(json.dumps(made.to_dict()))
    places = {}
    for i, name in enumerate(NAMES):
        records = folder / f"{name}.csv"
        make_table(60, seed=i).write_csv(records)
        places[name] = Serving.of(folder / AGREED, records, folder / f"books-{name}", None)
    return made, places


def test_a_run_whose_server_was_killed_goes_on_to_a_release_and_is_the_same_again(
    tmp_path: Path,
) -> None:
    _, places = prepared(tmp_path)
    ends = partial(conducted, tmp_path, runs=tmp_path / "runs")
    served: list[bytes] = []

    def conduct(result: str, resume: bool = True, most: int = 100) -> Path:
        (tmp_path / result).mkdir()
        with ExitStack() as stack:
            sites = {n: opened_as(n, place, stack, print) for n, place in places.items()}

            def carry(content: bytes, seconds: float) -> dict[str, Any]:
                served.append(content)
                replies = {name: reply_of(site, content) for name, site in sites.items()}
                if len(served) == most:  # the answers are there, the server no more
                    raise SystemExit
                return replies

            ends(lambda names: Carried(names, carry), result=tmp_path / result, resume=resume)
        return tmp_path / result

    assert "leave out --resume" in (conduct("none") / FAILED).read_text()
    with pytest.raises(SystemExit):
        conduct("killed", resume=False, most=4)
    assert "add --resume" in (conduct("anew", resume=False) / FAILED).read_text()
    release = load(conduct("resumed") / RELEASE)
    assert release.ledger.to_dict()["sites"] == list(NAMES)
    told = told_of_books(tmp_path / "books-north")["questions"]
    assert served[3] == served[4]  # once more, for the bytes that were kept
    assert len(told) == len(served) - 1 == len(release.ledger.entries)
    assert all(asked["is_kept"] for asked in told)
    again = load(conduct("again") / RELEASE)
    assert (again.fingerprint, len(told)) == (release.fingerprint, len(served) - 1)


def test_a_site_that_cannot_be_opened_tells_its_own_house_alone(tmp_path: Path) -> None:
    _, places = prepared(tmp_path)
    heard: list[str] = []
    make_table(20).with_columns(ward=pl.lit("gaol")).write_csv(tmp_path / "north.csv")
    with ExitStack() as stack:
        assert opened_as("north", places["north"], stack, heard.append) is None
        assert opened_as("west", places["south"], stack, heard.append) is None
    assert len(heard) == 2
    assert "gaol" not in heard[0]


# Kits and jobs --------------------------------------------------------------------------------


def make_kit(folder: Path, role: str = "client") -> Path:
    """As it is provisioned, but for keys."""
    for name, content in (
        (f"startup/fed_{role}.json", TOLD[role]),
        ("local/resources.json.default", RESOURCES),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("role", ["client", "server"])
def test_a_locked_kit_runs_one_class_of_ours_and_nothing_else(tmp_path: Path, role: str) -> None:
    own = Kit.of(make_kit(tmp_path, role), role)
    own.lock()
    resources = json.loads((own.local / "resources.json").read_text())
    expected = {"client": kits.EXECUTOR, "server": kits.CONTROLLER}[role]
    assert resources["class_allow_list"] == [expected]
    assert resources["class_list_enforcement_mode"] == "enforce"
    assert not resources["allow_log_streaming"]
    assert [part["id"] for part in resources["components"]] == ["resource_manager", "job_manager"]
    if role == "server":
        assert resources["components"][1]["args"]["uri_root"] == str(own.folder / "jobs")
        assert "/tmp/" not in json.dumps(resources["snapshot_persistor"]).replace(
            str(own.folder), ""
        )
    rights = json.loads((own.local / "authorization.json").read_text())["permissions"]
    assert rights.keys() == {"lead", "project_admin"}
    for may in rights.values():
        assert not {"byoc", "shell_commands", "operate", "server-predeployed-flwr"} & may.keys()


def test_what_is_no_kit_is_told(tmp_path: Path) -> None:
    for role in TOLD:
        with pytest.raises(SettingError, match="no startup kit"):
            Kit.of(tmp_path, role)
        assert Kit.of(make_kit(tmp_path / role, role), role).name in ("north", "server", "lead")
    own = Kit.of(make_kit(tmp_path / "bare"), "client")
    (own.local / "resources.json.default").unlink()
    with pytest.raises(SettingError, match="provision it anew"):
        own.lock()


def test_a_job_is_json_and_names_the_two_classes_that_are_there(tmp_path: Path) -> None:
    made, _ = prepared(tmp_path)
    files = {name: json.loads(content) for name, content in job_of(made, True).items()}
    assert all(name.endswith(".json") for name in files)
    assert not any("custom" in name for name in files)
    meta = files["meta.json"]
    assert meta["mandatory_clients"] == list(NAMES)
    assert meta["deploy_map"] == {"app": ["server", *NAMES]}
    workers = Path(tincture.__file__).parent / "flare/workers.py"
    classes = {n.name for n in ast.parse(workers.read_text()).body if isinstance(n, ast.ClassDef)}
    assert {kits.EXECUTOR, kits.CONTROLLER} == {f"tincture.flare.workers.{c}" for c in classes}


def test_one_module_alone_imports_the_engine() -> None:
    of_engine = [
        n for n, tree in MODULES.items() if any(i.startswith("nvflare") for i in imports(tree))
    ]
    assert of_engine == ["flare.workers"]


# The commands ---------------------------------------------------------------------------------


def test_serving_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    prepare(tmp_path)
    prepared(tmp_path)
    own = make_kit(tmp_path / "kit")
    usual = ["site", "serve", tmp_path / AGREED, tmp_path / "north.csv"]
    books, budget = tmp_path / "books", tmp_path / "b.json"
    for more, words in (
        (["--kit", tmp_path, "--books", books], "no startup kit"),
        (["--kit", own, "--books", books, "--resume"], "leave out --resume"),
        (["--kit", own, "--books", books, "--budget", budget], "b.json"),
    ):
        assert words in run(*usual, *more).err
    books.mkdir()
    (books / JOURNAL).write_text("")
    assert "add --resume" in run(*usual, "--kit", own, "--books", books).err
    Budget(budget).create(20.0, 1e-4)
    (own / "startup/fed_client.json").write_text(json.dumps({"client": {"fqsn": "west"}}))
    said = run(*usual, "--kit", own, "--books", tmp_path / "new", "--budget", budget)
    assert "these are west" in said.err
    assert [p.name for p in (own / "local").iterdir()] == ["resources.json.default"]
    assert "no startup kit (server)" in run("consortium", "serve", "--kit", own).err


def test_condensing_at_sites_is_another_command(tmp_path: Path) -> None:
    prepared(tmp_path)
    usual = ["condense", "--consortium", tmp_path / AGREED, "--out", tmp_path / "out"]
    assert "no startup kit (admin)" in run(*usual, "--kit", tmp_path).err
    assert run(*usual, "--kit", tmp_path, "--target", "died").code == 2
    told = run("condense", f"--consortium={tmp_path / 'none'}", *usual[3:], "--kit", tmp_path)
    assert "is no consortium file" in told.err
    assert not (tmp_path / "out").exists()


# With the engine ------------------------------------------------------------------------------


def test_the_classes_fit_the_engine(tmp_path: Path) -> None:
    pytest.importorskip("nvflare", reason="an extra: tincture[federated]")
    from nvflare.apis.event_type import EventType
    from nvflare.apis.shareable import Shareable

    from tincture.flare.workers import Answering, Coordinating

    made, places = prepared(tmp_path)
    places["north"].write(tmp_path)
    workspace = SimpleNamespace(
        get_site_config_dir=lambda: str(tmp_path),
        get_app_config_dir=lambda job: str(tmp_path),
        get_root_dir=lambda: str(tmp_path),
        get_result_root=lambda job: str(tmp_path),
    )
    context: Any = SimpleNamespace(
        get_engine=lambda: SimpleNamespace(get_workspace=lambda: workspace),
        get_identity_name=lambda: "north",
        get_job_id=lambda: "job",
    )
    worker, sent = Answering(), Shareable()
    worker.handle_event(EventType.START_RUN, context)
    sent[QUESTION] = replace(first(), run=made.digest).packed()
    assert worker.execute("ask", sent, context, None)[STATE] == SENT
    worker.handle_event(EventType.END_RUN, context)

    class Nobody(Coordinating):
        def broadcast_and_wait(self, *asked: Any, **more: Any) -> None:
            """No site is there."""

    for is_over, words in ((False, "did not answer question 1"), (True, "A site went away")):
        signal = SimpleNamespace(triggered=is_over)
        Nobody(resume=is_over).control_flow(signal, context)
        assert words in (tmp_path / FAILED).read_text()
