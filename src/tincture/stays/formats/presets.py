"""Public layouts of databases of intensive care: which tables, which columns, which units.

The names are those of eICU-CRD 2.0, MIMIC-IV 3.1 (modules hosp and icu), the cohorts of YAIB, and
the OMOP Common Data Model 5.4. A layout more is an entry in `PRESETS` and no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tincture.stays.formats.source import DATED, Form

# Concepts of the OMOP vocabulary for how a value is meant, and as text writes it.
OPERATORS = {
    0.0: "",
    4172703.0: "",
    4171756.0: "<",
    4171754.0: "<=",
    4172704.0: ">",
    4171755.0: ">=",
}


@dataclass(frozen=True)
class Columns:
    """Columns of a table of events.

    Attributes
    ----------
    times : tuple of str
        The first that is not blank counts.
    variable, value : str
        Of a long table; of a wide one, whose columns are its variables, nothing.
    by : str
        Column that names something of several stays, such as the admission, where none names the
        stay: then an event counts in each of them, at its time from its start.
    text : str
        Column of text that counts where the value is blank; nothing if there is none.
    operator : str
        Column of a concept such as "less than" that goes before the value.
    unmapped : float or None
        Number of a variable that stands for none.
    """

    times: tuple[str, ...]
    variable: str = ""
    value: str = ""
    by: str = ""
    text: str = ""
    operator: str = ""
    unmapped: float | None = None

    @property
    def is_wide(self) -> bool:
        """Whether each variable has a column of its own."""
        return not self.variable


@dataclass(frozen=True)
class Preset:
    """A layout of a folder.

    Attributes
    ----------
    name : str
    form : Form
        A release is written in this form.
    stays : str
        Table of one row a stay.
    tables : mapping of str to Columns
        Tables of events, any of which may be absent.
    starts : tuple of str
        Columns of the stays by which dates are placed; the first that is not blank counts.
    beside : mapping of str to str
        Tables that tell more of a stay, and the column that they share with it.
    dies : tuple of str
        Columns of the date of death, and of the first and last day of a stay, that tell whether
        somebody died in it; none where a column tells so itself.
    """

    name: str
    form: Form
    stays: str
    tables: Mapping[str, Columns]
    starts: tuple[str, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)
    dies: tuple[str, ...] = ()


PRESETS = (
    Preset(
        "eICU",
        Form("patientunitstayid", "offset", "variable", "value", "minute"),
        stays="patient",
        tables={
            "lab": Columns(("labresultoffset",), "labname", "labresult"),
            "vitalPeriodic": Columns(("observationoffset",)),
            "vitalAperiodic": Columns(("observationoffset",)),
            "nurseCharting": Columns(
                ("nursingchartoffset",), "nursingchartcelltypevalname", "nursingchartvalue"
            ),
            "respiratoryCharting": Columns(
                ("respchartoffset",), "respchartvaluelabel", "respchartvalue"
            ),
        },
    ),
    Preset(
        "MIMIC-IV",
        Form("stay_id", "charttime", "itemid", "valuenum", DATED),
        stays="icustays",
        tables={
            "chartevents": Columns(("charttime",), "itemid", "valuenum"),
            "labevents": Columns(("charttime",), "itemid", "valuenum", by="hadm_id"),
            "outputevents": Columns(("charttime",), "itemid", "value"),
        },
        starts=("intime",),
        beside={"admissions": "hadm_id", "patients": "subject_id"},
    ),
    Preset(
        "YAIB",
        Form("stay_id", "time", "variable", "value", "hour"),
        stays="sta",
        tables={"dyn": Columns(("time",))},
        beside={"outc": "stay_id"},
    ),
    Preset(
        "OMOP",
        Form(
            "visit_occurrence_id",
            "measurement_datetime",
            "measurement_concept_id",
            "value_as_number",
            DATED,
        ),
        stays="visit_occurrence",
        tables={
            "measurement": Columns(
                ("measurement_datetime", "measurement_date"),
                "measurement_concept_id",
                "value_as_number",
                operator="operator_concept_id",
                unmapped=0.0,
            )
        },
        starts=("visit_start_datetime", "visit_start_date"),
        beside={"person": "person_id", "death": "person_id"},
        dies=("death_date", "visit_start_date", "visit_end_date"),
    ),
)
