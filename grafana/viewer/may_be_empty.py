"""Queries that may rightly have no answer, each with the reason. Keyed by the file, the panel and the legend."""

MAY_BE_EMPTY: dict[tuple[str, str, str], str] = {
    ("service.json", "Waiting, by place", "end of the queue"): (
        "an unbounded queue has no end, and that of a service which is only asked to Process does not matter"
    ),
}
