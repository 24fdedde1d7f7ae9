"""Numbers as Grafana writes them, for the units that the dashboards use."""


def written(value: float, unit: str, decimals: int | None = None) -> str:
    """The number with its unit. Without `decimals`, it has at most three significant digits."""
    if unit == "s":
        return _seconds(value, decimals)
    if unit == "percentunit":
        return f"{_digits(value * 100, decimals)}%"
    if unit == "bytes":
        return _scaled(value, 1024, ["B", "KiB", "MiB", "GiB"], decimals)
    if unit == "mps":
        return f"{_digits(value, decimals)} msg/s"
    if unit == "short":
        return _scaled(value, 1000, ["", "K", "Mil"], decimals)
    if unit == "none":
        return _digits(value, decimals)
    raise ValueError(f"no idea how Grafana writes the unit {unit}")


def _digits(value: float, decimals: int | None) -> str:
    if decimals is not None:
        return f"{value:.{decimals}f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _scaled(value: float, factor: float, names: list[str], decimals: int | None) -> str:
    size = value
    for name in names:
        if abs(size) < factor or name == names[-1]:
            return f"{_digits(size, decimals)} {name}".strip()
        size /= factor
    raise AssertionError("the last name takes everything")


def _seconds(value: float, decimals: int | None) -> str:
    for limit, factor, name in ((1e-3, 1e6, "µs"), (1, 1e3, "ms"), (60, 1, "s"), (3600, 1 / 60, "mins")):
        if abs(value) < limit and value:
            return f"{_digits(value * factor, decimals)} {name}"
    return f"{_digits(value / 3600, decimals)} hours" if value else "0 s"
