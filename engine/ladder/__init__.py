"""Collections policies and the ladder: one step at a time, derived, never accumulated."""
