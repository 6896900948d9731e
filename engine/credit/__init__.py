"""Credit policies: facts in, a grade with its reasons out."""
