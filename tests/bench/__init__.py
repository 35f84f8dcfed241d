"""Measure every page of the console on databases of its own: ``python -m tests.bench``."""
