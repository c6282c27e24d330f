"""scikit-learn's conventions of parameters, without scikit-learn.

To import it takes a second and some 60 MB, with pandas beside it 100, and a run needs neither.
"""

from __future__ import annotations

import inspect
from typing import Any, Self

from tincture.errors import SettingError


class Parametrised:
    """An estimator whose settings are the arguments of its constructor, kept under their names.

    So `sklearn.base.clone` copies it, and whatever asks scikit-learn about it finds the usual.
    """

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        """The arguments by their names, sorted, and what they are by default."""
        given = inspect.signature(cls.__init__).parameters
        return {name: given[name].default for name in sorted(given) if name != "self"}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """All settings by name; none of them is an estimator, into which ``deep`` would look."""
        return {name: getattr(self, name) for name in self._defaults()}

    def set_params(self, **params: Any) -> Self:
        """Change some settings.

        Raises
        ------
        SettingError
            If one is unknown.
        """
        for name, value in params.items():
            if name not in self._defaults():
                raise SettingError(
                    f"{type(self).__name__} has no setting {name!r}; expected one of "
                    f"{', '.join(self._defaults())}."
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """With those settings that are not the default."""
        given = self.get_params()
        told = [
            f"{name}={given[name]!r}"
            for name, usual in self._defaults().items()
            if given[name] is not usual and repr(given[name]) != repr(usual)
        ]
        return f"{type(self).__name__}({', '.join(told)})"

    def __sklearn_tags__(self) -> Any:
        """As of any estimator."""
        from sklearn.base import BaseEstimator

        return BaseEstimator().__sklearn_tags__()

    def _require_fitted(self) -> None:
        """Raise scikit-learn's own error before `fit`."""
        if not hasattr(self, "table_"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(f"This {type(self).__name__} is not fitted yet; call fit first.")
