"""gunilint: a static linter for gunicorn deployments."""

__version__ = "0.1.0"
