"""How fast, against what: run by hand, never in the tests."""
