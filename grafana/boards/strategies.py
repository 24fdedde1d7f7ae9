"""The strategies of docker-compose.yml: their order, and three sentences for each."""

SENTENCES = {
    "async-unbounded": (
        "**Fire-and-forget, onto a queue without end.** Nothing slows the clients down, so past its capacity the queue grows "
        "until memory ends: the service is killed every few minutes, and starts again with an empty queue. What it had "
        "accepted is gone, and every sender had been told that it was accepted."
    ),
    "async-scaled": (
        "**The same, with twice the workers.** What is overload for the others is just bearable here, and the queue stays "
        "short. The spike still piles up, and more workers cost more, in the calm too."
    ),
    "async-bounded": (
        "**Fire-and-forget, onto a queue with an end.** When it is full, the oldest message is thrown away for the newest, so "
        "memory stays flat and nothing waits long. What was thrown away had been accepted, and its sender never learns of it."
    ),
    "sync": (
        "**The client waits for its answer before it sends again.** There are never more messages in the system than clients, "
        "so the service cannot be overrun. What the clients could not send meanwhile was withheld: that is backpressure, and "
        "they know."
    ),
    "sync-shed": (
        "**The same, and who finds the line full is refused at once.** What is let in is quick, and goodput stays at the "
        "capacity however much is offered. Who is refused knows at once, and can try elsewhere, later, or with "
        "less."
    ),
}
"""In the order in which the story is told: the trouble, then the ways out."""


def in_order(names: list[str]) -> str:
    """A variable's query for the strategies that are watched, in that order, and then others.

    label_values() would sort them by name.
    """
    ranks = [f'max by (strategy) (up{{strategy="{name}"}}) * 0 + {rank}' for rank, name in enumerate(names)]
    others = f'max by (strategy) (up{{strategy!~"|{"|".join(names)}"}}) * 0 + {len(names)}'
    return f"query_result(sort({' or '.join([*ranks, others])}))"
