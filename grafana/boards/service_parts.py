"""What the panels of the dashboard Service share: the selection of one instance, its capacity, its quantiles."""

from boards.palette import Colour
from boards.panels import Series

THIS = 'job="$job",instance="$instance"'
RECENT = "[$__rate_interval]"

CAPACITY = (
    f"sum(foo_workers{{{THIS}}}) / (sum(rate(foo_service_time_seconds_sum{{{THIS}}}[1m]))"
    f" / (sum(rate(foo_service_time_seconds_count{{{THIS}}}[1m])) > 0))"
)
"""Messages per second that the workers can process, by the service time measured within the last minute."""


def each_rpc(panel):
    """Repeats a panel, once for each RPC in use, side by side."""
    return panel.repeat("door").repeat_direction("h").max_per_row(2)


def quantiles(histogram: str) -> list[Series]:
    """Median and p99 of recent messages of both RPCs."""
    return [
        Series(
            name,
            f"histogram_quantile({quantile}, sum by (le) (rate({histogram}_bucket{{{THIS}}}{RECENT}))) >= 0",
            colour,
        )
        for name, quantile, colour in (("median", 0.5, Colour.DONE), ("p99", 0.99, Colour.LATE))
    ]
