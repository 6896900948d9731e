"""Where we meet the world."""
