"""The strategies of docker-compose.yml: their order, and a short description of each."""

SENTENCES = {
    "async-unbounded": (
        "**Fire-and-forget, onto a queue without a limit.** Nothing slows the clients down. Above the capacity, the queue "
        "grows until memory runs out: the service is killed every few minutes, and starts again with an empty queue. The "
        "messages on the queue are lost, although every sender was told that its message was accepted."
    ),
    "async-scaled": (
        "**The unbounded queue, with twice the workers.** A load that overloads the other services is just bearable here, and "
        "the queue stays short. The spike still fills the queue. The additional workers cost as much when the load is low."
    ),
    "async-bounded": (
        "**Fire-and-forget, onto a queue with a limit.** When the queue is full, the service drops the oldest message for the "
        "newest. Memory stays flat, and no message waits long. The dropped message had been accepted, and its sender never "
        "learns that it was dropped."
    ),
    "sync": (
        "**The client waits for its answer before it sends again.** The system never holds more messages than there are "
        "clients, so the service cannot be overrun. Requests that had to wait are withheld, and the clients know it: that is "
        "backpressure."
    ),
    "sync-shed": (
        "**The client waits for its answer, and a full waiting line rejects new calls at once.** Admitted calls are quick, "
        "and goodput stays at the capacity under any load. The sender of a rejected call knows at once, and can try another "
        "service, try again later, or send less."
    ),
    "sync-auto": (
        "**The client waits for its answer, and nothing is tuned.** No length of a line is set. The service learns how long a "
        "message takes, and rejects a call that it cannot answer before its deadline. While calls are lost, the newest is "
        "first, because it has the most time left. When capacity goes away, there is no number to correct."
    ),
    "async-durable": (
        "**Fire-and-forget, onto a queue that several services share** (profile `durable`). The messages are on the disk of a "
        "server. One service accepts them, others work on them. While all workers are away the queue takes everything in, and "
        "a killed service loses nothing: another one does its messages. Above the capacity, the queue still grows."
    ),
}
"""In the order of the columns: the unbounded queue first, then the alternatives."""


def in_order(names: list[str]) -> str:
    """A variable's query for the strategies that are watched, in that order, and then others.

    label_values() would sort them by name.
    """
    ranks = [f'max by (strategy) (up{{strategy="{name}"}}) * 0 + {rank}' for rank, name in enumerate(names)]
    others = f'max by (strategy) (up{{strategy!~"|{"|".join(names)}"}}) * 0 + {len(names)}'
    return f"query_result(sort({' or '.join([*ranks, others])}))"
