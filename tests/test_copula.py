"""Invented records have the released shares, and the released dependence between columns."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers import ENCODING, make_condenser, make_table, make_teacher
from strategies import records_of, teachers
from tincture.arrays import Floats
from tincture.privacy.query import Records
from tincture.public.columns import Column
from tincture.public.encoding import Encoding
from tincture.spine.teaching import Teacher
from tincture.tables.additive import Basis
from tincture.tables.cells import cell_codes, edges_of
from tincture.tables.copula import Copula, Lines
from tincture.tables.marginals import Marginals
from tincture.tables.questions import RankProducts

N = 20_000  # draws; a share or a mean product is then right to about 0.02 in 5 standard deviations


def make_lines() -> Lines:
    teacher = make_teacher(np.random.default_rng(1))
    return Lines.along(teacher.basis.marginals, teacher)


def contributions(lines: Lines, points: np.ndarray) -> np.ndarray:
    """Products of ranks of each record."""
    return RankProducts(lines).contributions(Records(points, points, points))


def products(lines: Lines, points: np.ndarray) -> np.ndarray:
    """Sums of products of ranks, as the vault would answer without noise or clipping."""
    return np.asarray(contributions(lines, points).sum(axis=0))


def correlations(lines: Lines, points: np.ndarray) -> np.ndarray:
    first, second = np.triu_indices(lines.size, 1)
    return products(lines, points) / len(points) / lines.spread[first] / lines.spread[second]


@given(teachers(), st.data())
def test_every_cell_has_one_place_on_its_line(teacher: Teacher[Basis], data: st.DataObject) -> None:
    marginals = teacher.basis.marginals
    lines = Lines.along(marginals, teacher)
    columns = marginals.encoding.columns
    for order, edges, share in zip(lines.order, lines.edges, marginals.shares, strict=False):
        assert len(set(order)) == len(order) == len(edges) - 1
        assert (np.diff(edges) >= 0).all()
        assert edges[-1] == pytest.approx(1.0)
        np.testing.assert_allclose(np.diff(edges), share[order] / share[order].sum(), atol=1e-12)
    for j, edges in zip(lines.gaps, lines.edges[len(columns) :], strict=True):
        np.testing.assert_allclose(edges, [0.0, 1 - marginals.shares[j][-1], 1.0])
    codes = cell_codes(marginals.encoding, data.draw(records_of(marginals.encoding, 3)))
    for j, (column, order) in enumerate(zip(columns, lines.order, strict=True)):
        beyond = set() if column.is_categorical or column.required else {len(order)}  # missing
        assert set(codes[:, j]) <= set(order) | beyond


@given(teachers(), st.data())
def test_what_is_placed_is_exact_and_has_the_rank_of_its_own_cell(
    teacher: Teacher[Basis], data: st.DataObject
) -> None:
    lines = Lines.along(teacher.basis.marginals, teacher)
    u = data.draw(arrays(np.float64, (3, lines.size), elements=st.floats(0.0, 1.0)))
    points = lines.place(u)
    encoding = lines.marginals.encoding
    np.testing.assert_allclose(encoding.snap(points), points, atol=1e-12)
    ranks = lines.ranks(points)
    for j, column in enumerate(encoding.columns):
        if column.is_categorical:  # an amount may be rounded into the next bin
            cell = np.clip(np.searchsorted(lines.edges[j], u[:, j]) - 1, 0, None)
            middle = (lines.edges[j][cell] + lines.edges[j][cell + 1]) / 2
            np.testing.assert_allclose(ranks[:, j], np.sqrt(12) * (middle - 0.5))


def test_evenly_placed_records_have_even_ranks_of_the_stated_spread() -> None:
    lines = make_lines()
    places = (np.arange(N) + 0.5) / N
    rng = np.random.default_rng(0)
    u = np.stack([rng.permutation(places) for _ in range(lines.size)], axis=1)
    ranks = lines.ranks(lines.place(u))
    # Ages lie on whole years, so that their bins hold a little more or less than their share.
    np.testing.assert_allclose(ranks.mean(axis=0), 0.0, atol=0.03)
    np.testing.assert_allclose(ranks.std(axis=0), lines.spread, rtol=0.03)
    assert (lines.spread <= 1.0).all()


def test_levels_lie_in_the_order_of_their_risk_and_missing_amounts_apart() -> None:
    columns = [
        Column("x", "number", 0.0, 1.0, decimals=6),
        Column("w", "string", categories=tuple("abc")),
    ]
    encoding = Encoding(columns)
    n = len(edges_of(columns[0])) - 1
    basis = Basis(Marginals.of_counts(encoding, np.ones(n + 1 + 4), n + 1.0))
    weights = np.zeros(basis.size)
    weights[basis.blocks[0]] = [-1.0, 0.0, 0.0, 3.0]  # risk grows with x, and most if missing
    weights[basis.blocks[1]] = [0.5, -1.0, 2.0, 1.0]
    lines = Lines.along(basis.marginals, Teacher(basis, weights))
    assert lines.order[0].tolist() == list(range(n))
    assert lines.order[1].tolist() == [1, 0, 3, 2]
    assert lines.gaps == [0]
    assert lines.importance[0] > 0 < lines.importance[1]


def test_draws_have_the_released_shares() -> None:
    lines = make_lines()
    correlated = np.full((lines.size, lines.size), 0.3) + 0.7 * np.eye(lines.size)
    for line, j in enumerate(lines.gaps, len(lines.order)):
        correlated[j, line] = correlated[line, j] = 0.0
    copula = Copula(lines, cast(Floats, np.linalg.cholesky(correlated)))
    codes = cell_codes(ENCODING, copula.draw(N, np.random.default_rng(2)))
    for j, share in enumerate(lines.marginals.shares):
        got = np.bincount(codes[:, j], minlength=len(share)) / N
        if ENCODING.columns[j].is_categorical:
            np.testing.assert_allclose(got, share, atol=0.02)
        else:  # rounding moves some amounts into the next bin
            np.testing.assert_allclose(got[-1], share[-1], atol=0.02)
            np.testing.assert_allclose(np.cumsum(got), np.cumsum(share), atol=0.03)


def test_draws_have_the_correlations_that_were_bought() -> None:
    lines, rng = make_lines(), np.random.default_rng(3)
    normal = (np.corrcoef(rng.normal(size=(lines.size, 10))) + np.eye(lines.size)) / 2
    own = np.ones_like(normal)
    for line, j in enumerate(lines.gaps, len(lines.order)):
        own[j, line] = own[line, j] = normal[j, line] = normal[line, j] = 0.0
    asked = own[np.triu_indices(lines.size, 1)] > 0
    real = Copula(lines, cast(Floats, np.linalg.cholesky(normal))).draw(N, rng)
    copula = Copula.of_products(lines, products(lines, real), float(N), noise=0.0)
    bought, again = correlations(lines, real), correlations(lines, copula.draw(N, rng))
    assert np.abs(bought).max() > 0.2
    np.testing.assert_allclose(again[asked], bought[asked], atol=0.03)
    independent = Copula.independent(lines).draw(N, rng)
    np.testing.assert_allclose(correlations(lines, independent), 0.0, atol=0.05)


def test_columns_of_two_levels_go_together_as_closely_as_records_do_though_clipped() -> None:
    # Of two levels of one half each the correlation 0.5 takes a normal one of sin(π/4) = 0.71.
    levels = ("no", "yes")
    columns = [Column(name, "string", categories=levels) for name in ("smokes", "drinks", "coughs")]
    encoding = Encoding(columns)
    counts = np.array([60.0, 40, 0, 90, 10, 0, 50, 50, 0])
    basis = Basis(Marginals.of_counts(encoding, counts, 100.0))
    lines = Lines.along(basis.marginals, Teacher(basis, np.arange(1.0, basis.size + 1)))
    related = np.array([[1.0, 0.6, 0.7], [0.6, 1.0, 0.5], [0.7, 0.5, 1.0]])
    rng = np.random.default_rng(6)
    real = Copula(lines, cast(Floats, np.linalg.cholesky(related))).draw(N, rng)
    each, clip = contributions(lines, real), RankProducts(lines).clip
    norms = np.maximum(np.linalg.norm(each, axis=1, keepdims=True), 1e-12)
    sums = (each * np.minimum(1.0, clip / norms)).sum(axis=0)
    copula = Copula.of_products(lines, sums, float(N), 0.0, clip)
    again = correlations(lines, copula.draw(N, rng))
    np.testing.assert_allclose(again, correlations(lines, real), atol=0.03)
    np.testing.assert_allclose(copula.factor @ copula.factor.T, related, atol=0.06)


def test_amounts_that_are_missing_together_do_not_seem_to_go_together() -> None:
    # Urea grows with risk and its missing lessens it, glucose falls with risk: of what is measured
    # together amounts are independent, half of them missing together.
    columns = [Column(name, "number", 0.0, 1.0, decimals=6) for name in ("urea", "glucose")]
    encoding, rng = Encoding(columns), np.random.default_rng(7)
    n_cells = len(edges_of(columns[0])) - 1
    counts = np.append(np.ones(n_cells) / n_cells, 1.0)
    basis = Basis(Marginals.of_counts(encoding, np.tile(counts, 2) * N / 2, float(N)))
    lines = Lines.along(basis.marginals, Teacher(basis, np.arange(1.0, basis.size + 1)))
    uniforms = rng.uniform(size=(N, 4))
    uniforms[:, 3] = uniforms[:, 2]
    real = lines.place(uniforms)
    copula = Copula.of_products(lines, products(lines, real), float(N), 0.0)
    made = copula.draw(N, rng)
    places = [place.start for place in encoding.slices]
    known = [made[:, place + 1] < 0.5 for place in places]
    assert np.mean(known[0] == known[1]) > 0.9
    both = known[0] & known[1]
    related = np.asarray(np.corrcoef(made[both][:, places].T))[0, 1]
    assert abs(related) < 0.04  # four deviations of half of N independent people


def test_noisy_products_are_shrunk_by_what_the_noise_leaves_of_them() -> None:
    lines = make_lines()
    sums = products(
        lines, lines.place(np.random.default_rng(4).uniform(size=(N, 1)).repeat(lines.size, 1))
    )
    sizes = []
    for noise in (0.0, N / 10, N, 100.0 * N):
        factor = Copula.of_products(lines, sums, float(N), noise).factor
        sizes.append(np.abs(np.triu(factor @ factor.T, 1)).sum())
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 1e-3


@given(teachers(), st.floats(0.0, 1e9), st.floats(1.0, 1e5), st.data())
def test_any_noisy_products_give_a_valid_correlation_matrix(
    teacher: Teacher[Basis], noise: float, total: float, data: st.DataObject
) -> None:
    lines = Lines.along(teacher.basis.marginals, teacher)
    size = lines.size * (lines.size - 1) // 2
    sums = data.draw(arrays(np.float64, size, elements=st.floats(-1e9, 1e9)))
    factor = Copula.of_products(lines, sums, total, noise).factor
    related = factor @ factor.T
    np.testing.assert_allclose(np.diag(related), 1.0, atol=1e-9)
    assert np.linalg.eigvalsh(related).min() > 0
    points = Copula(lines, factor).draw(5, np.random.default_rng(5))
    np.testing.assert_allclose(lines.marginals.encoding.snap(points), points, atol=1e-12)


def test_of_one_column_no_pair_is_asked() -> None:
    others = ["lactate", "sodium", "ward", "diabetes", "days", "event", "stage", "patient"]
    made = make_condenser(drop=others, epsilon=1.0, method="proxy").fit(make_table())
    assert made.to_frame().columns == ["age", "died"]
    assert RankProducts.question not in {e.question for e in made.ledger.entries}
    assert made.ledger.epsilon() <= 1.0
