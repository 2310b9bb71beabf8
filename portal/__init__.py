"""A research data-access portal: compile, do not filter."""

__version__ = "0.1.0"
