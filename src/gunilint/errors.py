"""What ends a run with a sentence."""

from __future__ import annotations


class ExplainedError(Exception):
    """What gunilint was asked for can't be done; the message says why in one sentence."""
