"""Before a question is paid for, a model must predict each invented record by itself."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier

from helpers import ENCODING
from tincture.errors import ModelError
from tincture.models.portfolio import portfolio, resolve
from tincture.privacy.vault import BLOCK
from tincture.public.tasks import Classification, Survival, Task
from tincture.tables.trial import rehearse

DIED, DAYS = Classification("died", 2), Survival("days", "event", 0.0, 365.0)


class Shifts(GaussianNB):
    """Shifts every probability by a part of the batch's mean age."""

    part, beyond = 1.0, 0

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        found: np.ndarray = super().predict_proba(x)
        found[self.beyond :, 1] += self.part * x[:, 0].mean()
        return found


class ShiftsBeyond(Shifts):
    """Only in batches larger than the vault's blocks, and there only what is beyond one."""

    part, beyond = 1e-3, BLOCK


class ShiftsALittle(Shifts):
    """By as much as rounding to single precision would."""

    part = 1e-7


class ByPlace(GaussianNB):
    """Adds a little for every second record of a batch."""

    part = 1e-9

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        more = self.part * (np.arange(len(x)) % 2)[:, None]
        found: np.ndarray = super().predict_proba(x) + more
        return found


class ByPlaceALittle(ByPlace):
    """As rounding in double precision does."""

    part = 1e-13


class InCompany(GaussianNB):
    """Fails for a record alone."""

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        found: np.ndarray = super().predict_proba(x)
        return found * (np.nan if len(x) == 1 else 1.0)


class Single(GaussianNB):
    """A product in single precision, whose last bits hang on the size of the batch."""

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(0)
        hidden = x.astype(np.float32) @ rng.normal(size=(x.shape[1], 99)).astype(np.float32)
        chance = 1 / (1 + np.exp(-(hidden @ rng.normal(size=99).astype(np.float32))))
        return np.stack([1 - chance, chance], axis=1).astype(np.float64)


def tried(model: Any, task: Task = DIED, n_rows: int = 40) -> None:
    rehearse([resolve(model, task)], task, ENCODING, n_rows)


@pytest.mark.parametrize("model", [Shifts, ShiftsBeyond, ShiftsALittle, ByPlace, InCompany, Single])
def test_a_model_that_heeds_the_company_of_a_record_is_refused(model: Any) -> None:
    with pytest.raises(ModelError, match="predicts otherwise for a row when other rows are beside"):
        tried(model())


def test_rounding_is_forgiven_but_not_to_a_model_by_name() -> None:
    tried(ByPlaceALittle())
    with pytest.raises(ModelError, match="by up to 1e-13"):
        tried(type("svm", (ByPlaceALittle,), {})())


def boosting_of(library: str, name: str, **settings: Any) -> Any:
    return getattr(pytest.importorskip(library), name)(**settings)


HONEST = {
    "trees": lambda: RandomForestClassifier(20),
    "network": lambda: MLPClassifier((32, 32), max_iter=20),
    "process": GaussianProcessClassifier,
    "xgboost": lambda: boosting_of("xgboost", "XGBClassifier", n_jobs=2),
    "lightgbm": lambda: boosting_of("lightgbm", "LGBMClassifier", n_jobs=2, verbose=-1),
}


@pytest.mark.parametrize("name", HONEST)
def test_the_rounding_of_libraries_is_forgiven(name: str) -> None:
    tried(HONEST[name]())


SURVIVAL = {
    "lifelines": lambda: boosting_of("lifelines", "CoxPHFitter", penalizer=0.1),
    "weibull": lambda: boosting_of("lifelines", "WeibullAFTFitter", penalizer=0.1),
    "kernel": lambda: boosting_of("sksurv.svm", "FastKernelSurvivalSVM", kernel="rbf"),
    "forest": lambda: boosting_of("sksurv.ensemble", "RandomSurvivalForest", n_estimators=10),
}


@pytest.mark.parametrize("name", SURVIVAL)
def test_rounding_is_forgiven_in_survival(name: str) -> None:
    tried(SURVIVAL[name](), DAYS, 100)


NAMED = [(name, task) for task in (DIED, DAYS) for name in portfolio(task)]


@pytest.mark.parametrize(("name", "task"), NAMED, ids=[f"{n}-{t.name}" for n, t in NAMED])
def test_models_by_name_pass_whatever_the_number_of_rows(name: str, task: Task) -> None:
    for n_rows in (40, 400):
        tried(name, task, n_rows)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "task"), NAMED, ids=[f"{n}-{t.name}" for n, t in NAMED])
def test_the_trial_of_a_model_by_name_takes_no_second(name: str, task: Task) -> None:
    tried(name, task)  # compiles
    start = time.process_time()
    tried(name, task, 100)
    assert time.process_time() - start < 1.0
