"""Dashboards without Grafana: their queries, whether Prometheus answers them, and pictures of the panels."""
