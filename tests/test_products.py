"""What goes together is found where it is, and seldom where it is not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from helpers import ENCODING, QUICK, invented, make_teacher
from tincture import Condenser, Schema
from tincture.arrays import Floats
from tincture.public.columns import Column
from tincture.public.encoding import Encoding
from tincture.tables.additive import PRIOR, Basis
from tincture.tables.cells import edges_of
from tincture.tables.marginals import Marginals
from tincture.tables.products import FALSE_ALARM, MOST, SHARP, Crossed, Products, candidates, found

BASIS = make_teacher(np.random.default_rng(0)).basis


def records(n: int, seed: int) -> pl.DataFrame:
    """An outcome of which two of five amounts tell together, and none alone."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5)).clip(-4, 4).round(3)
    odd = (x[:, 0] > 0) != (x[:, 1] > 0)
    ill = (rng.random(n) < np.where(odd, 0.85, 0.15)).astype(np.int64)
    return pl.DataFrame(x, schema=[f"x{k}" for k in range(5)]).with_columns(ill=ill)


def schema() -> Schema:
    bounds = {"minimum": -4, "maximum": 4, "required": True}
    amounts = [{"name": f"x{k}", "type": "number", "constraints": bounds} for k in range(5)]
    return Schema.from_dict(
        {"fields": [*amounts, {"name": "ill", "type": "integer", "categories": [0, 1]}]}
    )


@pytest.mark.slow
def test_boosting_learns_an_exclusive_or_from_the_cohort() -> None:
    """Chance is 0.5 and the truth 0.85; an additive teacher would leave chance."""
    condenser = Condenser(
        schema=schema(),
        target="ill",
        epsilon=2.0,
        delta=1e-5,
        models=["boosting"],
        n_rows=16,
        effort=QUICK,
    )
    made = condenser.fit(records(4000, 0))
    assert made.table_.cohort is not None
    cohort, unseen = made.table_.cohort.to_pandas(), records(2000, 1).to_pandas()
    names = [f"x{k}" for k in range(5)]
    model = GradientBoostingClassifier(random_state=0).fit(cohort[names], cohort["ill"])
    assert roc_auc_score(unseen["ill"], model.predict_proba(unseen[names])[:, 1]) > 0.75


def test_a_product_is_that_of_its_columns_functions_in_deviations() -> None:
    points, _ = invented()
    products = Products(BASIS, [(0, 1)])
    base, values = BASIS.values(points), products.values(points)
    heads = [base[:, block.start : block.start + 2] for block in BASIS.blocks[:2]]
    assert products.size == values.shape[1]
    assert np.corrcoef(values[:, 0], heads[0][:, 0] * heads[1][:, 0])[0, 1] > 0.999


def test_what_has_joined_has_the_norm_of_all_columns() -> None:
    """So that its noise does not grow with the number of columns; nor is any record's beyond 1."""
    points, _ = invented()
    crossed, base = Crossed.fitting(BASIS, [(0, 1), (0, 3)], points), BASIS.values(points)
    values, n = crossed.values(points), BASIS.size - 1
    assert np.array_equal(values[:, :n], base[:, :-1])
    assert np.array_equal(values[:, -1], base[:, -1])
    joined = np.sqrt(np.square(values[:, n:-1]).sum(axis=1).mean())
    assert joined == pytest.approx(np.median(np.linalg.norm(base, axis=1)))
    assert (np.linalg.norm(crossed.bounded(values), axis=1) <= 1 + 1e-12).all()


def test_two_rare_levels_give_nobody_a_huge_score() -> None:
    """Of 600 records three have both of two levels that one in eighty has.

    Measured by the usual record, who has neither, a weight of one usual deviation of the prior was
    a log odds of thousands for those three.
    """
    constraints = {"required": True}
    fields = [
        {"name": n, "type": "string", "categories": ["no", "yes"], "constraints": constraints}
        for n in ("a", "b")
    ]
    flat = Marginals.flat(Encoding(Schema.from_dict({"fields": fields}).columns))
    base = Basis(Marginals(flat.encoding, [np.array([79 / 80, 1 / 80])] * 2))
    points = np.tile([1.0, 0.0], (600, 2))
    points[:3] = [0.0, 1.0, 0.0, 1.0]
    crossed = Crossed.fitting(base, [(0, 1)], points)
    joined = crossed.values(points)[:, base.size - 1 : -1]
    assert np.abs(joined).max() * np.sqrt(PRIOR) < 2


def test_what_has_joined_can_be_a_step() -> None:
    """An exclusive-or of two amounts: five cosines of each hold 0.87 of it, three held 0.81.

    Weighed 1/k, the later cosines are as cheap as a step is likely.
    """
    bounds = {"minimum": 0, "maximum": 1, "required": True}
    fields = [{"name": n, "type": "number", "constraints": bounds} for n in ("a", "b")]
    plain = Marginals.flat(Encoding(Schema.from_dict({"fields": fields}).columns))
    points = plain.encoding.snap(np.random.default_rng(0).random((20_000, 2)))
    step = np.sign(points[:, 0] - 0.5) * np.sign(points[:, 1] - 0.5)
    crossed = Crossed.fitting(Basis(plain), [(0, 1)], points)
    products = crossed.values(points)[:, Basis(plain).size - 1 : -1]
    weights = np.linalg.lstsq(products, step, rcond=None)[0]
    assert np.var(products @ weights) > 0.85
    first, third = (np.std(products[:, k]) for k in (0, 2 * SHARP + 2))
    assert first / third == pytest.approx(9, rel=0.05)


def test_few_columns_are_asked_about_in_threes_too_and_many_are_not() -> None:
    terms = candidates(BASIS)
    assert {len(term) for term in terms} == {2, 3}
    assert all(len(set(term)) == len(term) for term in terms)
    assert Products(BASIS, terms).size <= MOST


def test_of_noise_alone_a_term_is_found_as_seldom_as_stated() -> None:
    """Of 2000 answers 5% at most; more than 6.5% has a chance below 0.002."""
    products = Products(BASIS, candidates(BASIS))
    rng = np.random.default_rng(2)
    variance: Floats = rng.uniform(0.5, 2.0, products.size)
    alarms = sum(
        bool(found(products, np.sqrt(variance) * rng.standard_normal(products.size), variance))
        for _ in range(2000)
    )
    assert alarms <= 2000 * (FALSE_ALARM + 0.015)


def test_several_scores_alarm_as_seldom() -> None:
    """Of 1000 answers 5% at most; more than 7.5% has a chance below 0.001."""
    products, rng = Products(BASIS, candidates(BASIS)), np.random.default_rng(3)
    none = np.ones((3, products.size))
    alarms = sum(bool(found(products, rng.standard_normal(none.shape), none)) for _ in range(1000))
    assert alarms <= 1000 * (FALSE_ALARM + 0.025)


def test_a_term_far_beyond_the_noise_is_found_first() -> None:
    products = Products(BASIS, candidates(BASIS))
    sums = np.zeros(products.size)
    sums[products.blocks[3].start], sums[products.blocks[1].start] = 9.0, 8.0
    assert found(products, sums, np.ones(products.size)) == [
        products.terms[3],
        products.terms[1],
    ]


def test_one_column_has_nothing_to_go_together_with() -> None:
    one = Marginals(Encoding(ENCODING.columns[:1]), BASIS.marginals.shares[:1])
    assert candidates(Basis(one)) == []


def test_products_that_most_records_have_none_of_are_finite() -> None:
    # Both amounts are missing for all, so that no product is ever more than 0.
    columns = [Column(name, "number", 0.0, 1.0, decimals=6) for name in ("urea", "glucose")]
    encoding = Encoding(columns)
    points = np.tile([0.5, 1.0], (50, 2))
    counts = np.tile(np.append(np.full(len(edges_of(columns[0])) - 1, 1.0), 1e4), 2)
    base = Basis(Marginals.of_counts(encoding, counts, 1e4))
    crossed = Crossed.fitting(base, [(0, 1)], points)
    products = Products.fitting(base, [(0, 1)], points)
    assert np.isfinite(crossed.bounded(crossed.values(points))).all()
    assert np.isfinite(products.bounded(products.values(points))).all()
