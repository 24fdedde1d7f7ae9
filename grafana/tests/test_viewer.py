"""Each check finds the fault that it looks for, in a dashboard that had none before."""

import copy
import json
import unittest
from pathlib import Path

from viewer import answers, form, promql
from viewer.may_be_empty import MAY_BE_EMPTY, WITHOUT_WORKERS
from viewer.prometheus import Curve, Prometheus, Span
from viewer.shown import Dashboard
from viewer.units import written

DASHBOARDS = Path(__file__).parent.parent / "dashboards"
COMPARE = json.loads((DASHBOARDS / "compare.json").read_text())


class Form(unittest.TestCase):
    """Checks of the JSON."""

    def setUp(self) -> None:
        self.board = copy.deepcopy(COMPARE)
        self.panel = next(panel for panel in self.board["panels"] if panel["type"] == "timeseries")

    def expect(self, words: str) -> None:
        """Asserts that there is exactly one complaint and that it contains these words."""
        found = list(form.complaints(self.board))
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])

    def test_the_dashboard_is_all_right_before_anything_is_done_to_it(self) -> None:
        self.assertEqual(list(form.complaints(self.board)), [])

    def test_a_panel_without_a_description_is_found(self) -> None:
        del self.panel["description"]
        self.expect("no description")

    def test_a_panel_without_a_unit_is_found(self) -> None:
        del self.panel["fieldConfig"]["defaults"]["unit"]
        self.expect("no unit")

    def test_a_panel_without_thresholds_is_found(self) -> None:
        del self.panel["fieldConfig"]["defaults"]["thresholds"]
        self.expect("no thresholds")

    def test_a_field_that_grafana_does_not_know_is_found(self) -> None:
        self.panel["options"]["legend"]["shown"] = True
        self.expect("legend.shown: not in Grafana's model")

    def test_an_override_that_grafana_does_not_know_is_found(self) -> None:
        self.panel["fieldConfig"]["overrides"][0]["properties"][0]["id"] = "custom.fillOpaqueness"
        self.expect("custom.fillOpaqueness")

    def test_a_panel_of_an_unknown_type_is_found(self) -> None:
        text = next(panel for panel in self.board["panels"] if panel["type"] == "text")
        text["type"] = "texts"
        self.assertTrue(any("no panel type texts" in complaint for complaint in form.complaints(self.board)))

    def test_another_data_source_is_found_wherever_it_is_named(self) -> None:
        things = [
            self.panel,
            self.panel["targets"][0],
            self.board["templating"]["list"][0],
            self.board["annotations"]["list"][0],
        ]
        for thing in things:
            thing["datasource"] = {"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
        self.assertEqual(len(list(form.complaints(self.board))), len(things))

    def test_a_panel_on_top_of_another_is_found(self) -> None:
        self.panel["gridPos"]["y"] += 1
        self.expect("on top of")


class Names(unittest.TestCase):
    """The metrics that queries use."""

    def test_names_are_found_in_every_corner_of_an_expression(self) -> None:
        expr = (
            'sum by (le) (rate(a_bucket{b="c"}[5s])) / on () group_left () max(d:e) or max_over_time(f[1m:1s]) - {__name__="g"}'
        )
        self.assertEqual(promql.metrics(expr), {"a_bucket", "d:e", "f", "g"})

    def test_of_an_alert_its_left_side_is_asked(self) -> None:
        self.assertEqual(promql.without_comparison("a / b > 0.05"), "a / b")
        self.assertEqual(promql.without_comparison("a / b"), "a / b")

    def test_a_metric_on_no_page_is_found_in_panels_annotations_and_variables(self) -> None:
        for path in DASHBOARDS.glob("*.json"):
            questions = list(answers.asked_by(Dashboard(path)))
            everything = set().union(*(promql.metrics(expr) for _, expr in questions))
            self.assertEqual(list(answers.unknown_metrics(iter(questions), everything)), [])
            for missing in everything - answers.SYNTHETIC:
                self.assertTrue(list(answers.unknown_metrics(iter(questions), everything - {missing})), missing)


class Canned(Prometheus):
    """A Prometheus that gives the same answer to every query."""

    def __init__(self, curves: list[Curve]) -> None:
        super().__init__("http://nowhere")
        self.curves = curves

    def now(self, expr: str, at: float) -> list[Curve]:
        return [Curve({"strategy": "sync", "rpc": "process"}, [at], [1.0])] if "* 0 + " in expr else self.curves

    def over(self, expr: str, span: Span, step: float) -> list[Curve]:
        return self.curves

    def label_values(self, label: str, selector: str, span: Span) -> list[str]:
        return ["any"]


class Answers(unittest.TestCase):
    """Checks of the answers."""

    def complaints(self, *curves: Curve) -> list[str]:
        """Complaints about Compare with one column."""
        return list(answers.unanswered(Dashboard(DASHBOARDS / "compare.json"), Canned(list(curves)), Span(0, 60), set()))

    def test_numbers_are_all_right(self) -> None:
        self.assertEqual(self.complaints(Curve({}, [1.0], [2.0])), [])

    def test_no_data_is_found_in_every_panel_and_annotation(self) -> None:
        queries = sum(len(panel.get("targets", [])) for panel in COMPARE["panels"])
        self.assertEqual(len(self.complaints()), queries + len(COMPARE["annotations"]["list"]))

    def test_what_is_not_a_number_is_found(self) -> None:
        for value in (float("nan"), float("inf")):
            self.assertTrue(all("not a number" in one for one in self.complaints(Curve({}, [1.0, 2.0], [0.0, value]))))


    def test_what_is_missing_without_workers_is_found_where_there_are_workers(self) -> None:
        class Watched(Canned):
            """Has no data but the number of workers."""

            def now(self, expr: str, at: float) -> list[Curve]:
                return self.curves if expr.startswith("max_over_time(foo_workers{") else []

            def over(self, expr: str, span: Span, step: float) -> list[Curve]:
                return []

        def complaints(*workers: Curve) -> int:
            dashboard = Dashboard(DASHBOARDS / "service.json")
            return len(list(answers.unanswered(dashboard, Watched(list(workers)), Span(0, 60), set())))

        excused = sum(reason == WITHOUT_WORKERS for reason in MAY_BE_EMPTY.values())
        self.assertEqual(complaints(Curve({}, [1.0], [0.0])), complaints() - excused)


class Shown(unittest.TestCase):
    """The panels, variables and texts that Grafana would show."""

    def test_a_panel_is_repeated_for_each_strategy_side_by_side(self) -> None:
        dashboard, names = Dashboard(DASHBOARDS / "compare.json"), ["async-unbounded", "sync"]
        panels = [panel for panel in dashboard.panels({"strategy": names}, Span(0, 600)) if panel.kind == "stat"]
        self.assertEqual([(panel.title, panel.x, panel.width) for panel in panels], [(names[0], 0, 12), (names[1], 12, 12)])
        self.assertIn('strategy=~"sync"', panels[1].queries[0].expr)

    def test_a_rate_covers_four_scrapes_at_least(self) -> None:
        dashboard = Dashboard(DASHBOARDS / "compare.json")
        self.assertEqual(dashboard.fill("[$__rate_interval]", {}, Span(0, 600), 1), "[4s]")
        self.assertEqual(dashboard.fill("[${__rate_interval}]", {}, Span(0, 600), 30), "[31s]")

    def test_a_variable_that_nobody_defined_is_an_error(self) -> None:
        with self.assertRaises(ValueError):
            Dashboard(DASHBOARDS / "compare.json").fill("$typo", {}, Span(0, 600), 1)

    def test_numbers_are_written_as_grafana_writes_them(self) -> None:
        self.assertEqual(written(0.0123, "s"), "12.3 ms")
        self.assertEqual(written(90, "s"), "1.5 mins")
        self.assertEqual(written(1536, "bytes"), "1.5 KiB")
        self.assertEqual(written(12_300, "short"), "12.3 K")
        self.assertEqual(written(0.5, "percentunit", 1), "50.0%")


if __name__ == "__main__":
    unittest.main()
