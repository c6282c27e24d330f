"""Several sites, one run: questions travel, records do not."""

__all__ = ["books", "consortium", "engine", "masks", "question", "site", "sites"]
