"""Draws panels from the results of their queries: as Grafana would place and colour them, not pixel by pixel."""
