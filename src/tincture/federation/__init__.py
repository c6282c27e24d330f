"""Several sites, one run: questions travel, records do not."""

__all__ = ["books", "consortium", "engine", "question", "site", "sites"]
