"""Dashboards without Grafana: what they would ask Prometheus, whether there is an answer, and how it would look."""
