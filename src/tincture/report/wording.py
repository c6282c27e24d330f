"""What a data card says of invented rows, and what of invented stays."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """The prose of a card.

    Attributes
    ----------
    what : str
        With places for ``rows`` and ``outcome``.
    use, limits : tuple of str
    reading : tuple of str
        Code that reads the release.
    columns : str
        Caption of the table of what was declared.
    """

    what: str
    use: tuple[str, ...]
    reading: tuple[str, ...]
    limits: tuple[str, ...]
    columns: str


PUBLIC = (
    "Names, types, bounds and levels below were declared by a person as public knowledge. The "
    "promise protects the records, not what is declared here; values outside the bounds counted "
    "as the nearest bound.",
)
ALWAYS = (
    "Other releases from the same records add to what can be learned of a person.",
    "Not a medical device; nothing here was validated for the care of a patient.",
)
ROWS = Words(
    what="{rows} invented rows from which models are trained to predict {outcome}. They "
    "were searched for by asking a private table of patient records how well models fit, and "
    "by nothing else.",
    use=(
        "Train models on these rows, and test them on your own patients before use.",
        "Impute, scale and one-hot encode on these rows alone, then fit.",
        "The outcome has the prevalence, or the event times, of the real records as far as the "
        "noise lets them be known.",
    ),
    reading=(
        'import pandas as pd\nrows = pd.read_csv("condensed.csv", keep_default_na=False, '
        'na_values=[""])',
        'rows <- read.csv("condensed.csv", na.strings = "")',
    ),
    limits=(
        "No row stands for a patient. One row, a rare level or a subgroup means nothing by itself.",
        "Do not describe a population with them: they were chosen so that models learn, not so "
        "that distributions agree.",
        "Rare but important cases may be lost, and a model may serve some groups worse than "
        "others; measure it by group.",
        "Models of another kind than those named above may learn less from them.",
        *ALWAYS,
    ),
    columns="Columns",
)
STAYS = Words(
    what="{rows} invented stays from which networks are trained to predict {outcome}. They "
    "were made from sums, asked of private stays, that tell how measurements run and what tells "
    "the classes apart, and from nothing else.",
    use=(
        "Train networks on these stays, and test them on your own patients before use.",
        "Put the last value of each bin on a grid and carry it forward; fill what is still missing "
        "with the mean of these stays, and standardise every channel by their mean and deviation.",
        "Do the same, with these means and deviations, to the real stays that the network is to "
        "judge, after clipping them to the bounds below.",
        "Half of the stays belong to each class: correct predicted probabilities by the real "
        "prevalence above.",
    ),
    reading=(
        'import pandas as pd\nevents = pd.read_parquet("condensed.parquet")\n'
        'outcomes = pd.read_parquet("outcomes.parquet")',
        'events <- arrow::read_parquet("condensed.parquet")\n'
        'outcomes <- arrow::read_parquet("outcomes.parquet")',
    ),
    limits=(
        "No stay stands for a patient. One stay or one value means nothing by itself.",
        "Do not describe a population with them: differences between the classes are exaggerated "
        "on purpose, and variables that tell little are absent.",
        "A course that matters only by its shape is lost, and a network may serve some groups "
        "worse than others; measure it by group.",
        *ALWAYS,
    ),
    columns="Variables and columns",
)
