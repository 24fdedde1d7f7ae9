"""Queries that may rightly have no answer, each with the reason. Keyed by the file, the panel and the legend."""

MAY_BE_EMPTY: dict[tuple[str, str, str], str] = {}
