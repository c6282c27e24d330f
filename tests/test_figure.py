"""A picture is well-formed, escaped, and shows every value where it belongs."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from tincture.report.figure import LEFT, RIGHT, WIDTH, Mark, dot_plot

SVG = "{http://www.w3.org/2000/svg}"
ROWS = {
    "logistic": {"rows": Mark(0.71, 0.68, 0.74), "all": Mark(0.78, 0.75, 0.81)},
    "tree": {"rows": Mark(0.62, 0.58, 0.66), "all": Mark(0.70, 0.67, 0.73)},
}


def circles(picture: ElementTree.Element) -> dict[str, float]:
    """Where each value is drawn, by its label."""
    return {
        re.split(r": 0|: 1|: n", group[0].text or "")[0]: float(circle.get("cx", "nan"))
        for group in picture.iter(f"{SVG}g")
        for circle in group.iter(f"{SVG}circle")
    }


def test_every_value_is_drawn_in_order_inside_the_picture() -> None:
    picture = ElementTree.fromstring(dot_plot("T", "AUROC", ROWS, "note"))
    assert picture.tag == f"{SVG}svg"
    places = circles(picture)
    assert sorted(places, key=places.__getitem__) == [
        "tree, rows",
        "tree, all",
        "logistic, rows",
        "logistic, all",
    ]
    assert all(LEFT <= x <= WIDTH - RIGHT for x in places.values())
    texts = [e.text for e in picture.iter(f"{SVG}text")]
    assert {"T", "AUROC", "note", "logistic", "tree", "rows", "all"} <= set(texts)


def test_a_distance_is_proportional_to_a_difference() -> None:
    at = circles(ElementTree.fromstring(dot_plot("T", "x", ROWS, "")))
    unit = (at["logistic, all"] - at["logistic, rows"]) / 0.07
    assert at["logistic, rows"] - at["tree, rows"] == pytest.approx(0.09 * unit, abs=0.2)


def test_names_with_markup_are_escaped() -> None:
    odd = "<b> & \"quotes\" 'single'"
    text = dot_plot(odd, odd, {odd: {odd: Mark(0.5, 0.4, 0.6)}}, odd)
    picture = ElementTree.fromstring(text)
    assert picture.get("aria-label") == odd
    assert [e.text for e in picture.iter(f"{SVG}text")].count(odd) == 5


def test_a_series_that_a_row_lacks_leaves_no_mark() -> None:
    rows = {"a": {"x": Mark(0.5, 0.4, 0.6)}, "b": {"y": Mark(0.7, 0.6, 0.8)}}
    assert list(circles(ElementTree.fromstring(dot_plot("T", "", rows, "")))) == ["a, x", "b, y"]


@pytest.mark.parametrize("mark", [Mark(0.5, 0.5, 0.5), Mark(0.0, 0.0, 0.0), Mark(1.0, 0.0, 1.0)])
def test_extreme_intervals_are_drawn(mark: Mark) -> None:
    places = circles(ElementTree.fromstring(dot_plot("T", "", {"a": {"x": mark}}, "")))
    assert all(LEFT <= x <= WIDTH - RIGHT for x in places.values())


def test_no_script_and_nothing_from_elsewhere() -> None:
    text = dot_plot("T", "", ROWS, "")
    assert "<script" not in text
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]


def test_a_value_that_does_not_exist_is_not_drawn() -> None:
    nothing = Mark(math.nan, math.nan, math.nan)
    rows = {"a": {"x": Mark(0.5, 0.4, 0.6), "y": nothing}}
    assert list(circles(ElementTree.fromstring(dot_plot("T", "", rows, "")))) == ["a, x"]
