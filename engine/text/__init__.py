"""Readers of authors' files that keep every position."""
