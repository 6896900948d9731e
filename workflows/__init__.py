"""What happens over weeks, and what we wait for."""
