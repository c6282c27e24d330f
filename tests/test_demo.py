"""The demonstration runs end to end, here with a shorter search."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from commands import run
from helpers import QUICK
from tincture.demo.study import TARGET, support2
from tincture.tables.release import CondensedTable


def test_the_split_is_stratified_and_whole() -> None:
    train, test, schema = support2(0)
    assert (train.height, test.height) == (6374, 2731)
    assert schema.names == train.columns
    shares = [float(np.mean(part[TARGET].to_numpy())) for part in (train, test)]
    assert shares[0] == pytest.approx(shares[1], abs=1e-3)
    assert not support2(0)[0].equals(support2(1)[0])
    assert support2(0)[0].equals(train)


def test_the_rule_of_the_study_holds_for_every_patient_of_it() -> None:
    # The class is declared as a coarsening of the group; a wrong pair would bend the rows.
    train, test, schema = support2(0)
    said = schema.to_dict()["tincture:rules"][0]["allowed"]
    groups = [([one] if isinstance(one, str) else one, name) for one, name in said]
    allowed = {(group, name) for many, name in groups for group in many}
    for part in (train, test):
        assert set(part.select("dzgroup", "dzclass").unique().rows()) == allowed


@pytest.mark.slow
def test_the_demonstration_writes_a_release_and_a_picture(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    said = run("demo", "--out", out, "--epsilon", 0.5, "--effort", QUICK, "--json")
    assert (said.code, said.err) == (0, "")
    told = json.loads(said.out)
    assert told["out"] == str(out)
    assert {s["trained_on"] for s in told["scores"]} == {
        "condensed",
        "cohort",
        "all real records",
        "random real rows",
    }
    assert [p.name for p in tmp_path.iterdir()] == ["demo"]
    names = ["release", "release.in-house.jsonl", "utility.svg"]
    assert sorted(p.name for p in out.iterdir()) == names
    table = CondensedTable.load(out / "release")
    assert len(table) == 100
    assert table.ledger.epsilon() <= 0.5
    json.loads((out / "release" / "datapackage.json").read_text())
    picture = ElementTree.fromstring((out / "utility.svg").read_text(encoding="utf-8"))
    texts = [e.text or "" for e in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert any("ε = 0.5" in t for t in texts)
    assert any("do not release" in t for t in texts)
