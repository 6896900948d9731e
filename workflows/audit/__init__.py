"""Proves what a history says: replayed strictly, and every decision in it taken again."""
