"""Queries that may have no answer, each with the reason. The key is the file, the panel and the legend; of a rule, the file, its
name and nothing."""

MAY_BE_EMPTY: dict[tuple[str, str, str], str] = {
    ("service.json", "Waiting, by place", "capacity of the queue"): (
        "an unbounded queue has no limit, and the limit is not shown for a service that only Process was called of"
    ),
    ("rules.yml", "strategy:shared_queue:depth", ""): "no strategy has a shared queue, unless the profile durable runs",
}
