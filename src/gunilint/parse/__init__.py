"""Parsers: a source becomes a document; nothing is run."""
