"""Several sites, one run: questions travel, records do not."""

__all__ = ["consortium", "engine", "question", "site", "sites"]
