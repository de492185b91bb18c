"""Measurements of Nightshift against the best alternative for each task. Run with ``python -m benchmarks.run``."""
