"""Any estimator as fit and predict, and a portfolio of them by name."""

__all__ = ["ahead", "portfolio", "prepared", "protocol", "served"]
