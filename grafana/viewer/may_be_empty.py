"""Queries that may have no answer, each with the reason. The key is the file, the panel and the legend; of a rule, the file, its
name and nothing."""

WITHOUT_WORKERS = "of an instance without workers (`--workers 0`); of any other it must have an answer"

MAY_BE_EMPTY: dict[tuple[str, str, str], str] = {
    ("service.json", "Waiting, by place", "capacity of the queue"): (
        "an unbounded queue has no limit, and the limit is not shown for a service that only Process was called of"
    ),
    ("rules.yml", "strategy:shared_queue:depth", ""): "no strategy has a shared queue, unless the profile durable runs",
    **{
        ("service.json", panel, legend): WITHOUT_WORKERS
        for panel, legends in {
            "Expected wait": ["Expected wait"],
            "Workers busy": ["Workers busy"],
            "Queue wait, all RPCs together": ["median", "p99"],
            "Completed, and capacity": ["capacity"],
            "Service time": ["mean", "p99"],
        }.items()
        for legend in legends
    },
}
