"""The names in a PromQL expression, found by a parser."""

import promql_parser

_COMPARISONS = {"==", "!=", "<", ">", "<=", ">="}


def metrics(expr: str) -> set[str]:
    """The metrics and recorded series that the expression uses."""
    names = set()

    def visit(part: promql_parser.Expr) -> None:
        if isinstance(part, promql_parser.MatrixSelector):
            part = part.vector_selector
        if isinstance(part, promql_parser.VectorSelector):
            names.update([part.name] if part.name else _by_label(part))

    promql_parser.walk(promql_parser.parse(expr), visit)
    return names


def _by_label(selector: promql_parser.VectorSelector) -> list[str]:
    return [matcher.value for matcher in selector.matchers.matchers if matcher.name == "__name__"]


def without_comparison(expr: str) -> str:
    """The left side of a comparison: the value that an alert watches, also while the alert does not fire."""
    parsed = promql_parser.parse(expr)
    if isinstance(parsed, promql_parser.BinaryExpr) and str(parsed.op) in _COMPARISONS:
        return parsed.lhs.prettify()
    return expr
