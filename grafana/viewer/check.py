"""Checks the dashboards and the rules they rely on. Exits with 1 if anything is wrong.

Always: each dashboard is what boards/ describes, survives Grafana's own models unchanged, has no panel without title,
description, unit and thresholds, and names no data source but the provisioned one. With --metrics: every metric that a
dashboard or a rule names is on one of those pages, or recorded. With --prometheus: the same with the pages of its targets,
and every query has an answer under every setting of the variables, all of it numbers.
"""

import argparse
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from viewer import answers, form
from viewer.may_be_empty import MAY_BE_EMPTY
from viewer.prometheus import Prometheus, Span, names_of
from viewer.shown import Dashboard

GRAFANA = Path(__file__).parent.parent
RULES = GRAFANA.parent / "prometheus" / "rules.yml"


class Report:
    """Prints complaints as they come, each group under its subject, and counts them."""

    def __init__(self) -> None:
        self.complaints = 0

    def about(self, subject: str, complaints: Iterable[str]) -> None:
        """Prints each complaint once."""
        seen = list(dict.fromkeys(complaints))
        self.complaints += len(seen)
        print(f"{subject}: {'ok' if not seen else ''}")
        for complaint in seen:
            print(f"  {complaint}")


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="check-dashboards", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--metrics", metavar="URL", action="append", help="a /metrics page, or a file with one; repeatable")
    parser.add_argument("--prometheus", metavar="URL", help="a Prometheus that has watched the services for --minutes")
    parser.add_argument("--minutes", type=float, default=10, help="how far back queries look (default: 10)")
    arguments = parser.parse_args()

    report = Report()
    generated = subprocess.run([sys.executable, GRAFANA / "generate.py", "--check"], capture_output=True, text=True)
    report.about("generated", generated.stderr.splitlines())
    dashboards = [Dashboard(path) for path in sorted((GRAFANA / "dashboards").glob("*.json"))]
    for dashboard in dashboards:
        report.about(f"{dashboard.path.name}, form", form.complaints(dashboard.source))

    rules = answers.Rules(RULES)
    prometheus = Prometheus(arguments.prometheus) if arguments.prometheus else None
    pages = set().union(*map(page, arguments.metrics or []))
    if prometheus:
        pages |= prometheus.metric_names()
    if pages:
        known = pages | rules.recorded
        report.about("rules, names", answers.unknown_metrics(rules.questions(), known))
        for dashboard in dashboards:
            report.about(f"{dashboard.path.name}, names", answers.unknown_metrics(answers.asked_by(dashboard), known))
    if prometheus:
        end = time.time()
        span = Span(end - 60 * arguments.minutes, end)
        used = set()
        report.about("rules, answers", answers.unanswered_rules(rules, prometheus, span, used))
        for dashboard in dashboards:
            report.about(f"{dashboard.path.name}, answers", answers.unanswered(dashboard, prometheus, span, used))
        for excuse in sorted(used):
            print(f"empty, as it may be: {', '.join(filter(None, excuse))}: {MAY_BE_EMPTY[excuse]}")
    print(f"{report.complaints} complaints")
    return 1 if report.complaints else 0


def page(source: str) -> set[str]:
    """The names that a page in Prometheus' text format declares."""
    if source.startswith("http"):
        with urllib.request.urlopen(source, timeout=10) as answer:
            text = answer.read().decode()
    else:
        text = Path(source).read_text()
    declared = (line.split() for line in text.splitlines() if line.startswith("# TYPE "))
    return {name for _, _, metric, kind in declared for name in names_of(metric, kind)}


if __name__ == "__main__":
    sys.exit(main())
