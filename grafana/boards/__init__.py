"""The dashboards, as values of Grafana's foundation SDK. Each of compare, service and load_client has a `board()`."""
