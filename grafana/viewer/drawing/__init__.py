"""Draws panels from the results of their queries, with the places and colours that Grafana uses, but not pixel by pixel."""
