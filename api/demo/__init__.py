"""The demo: a billing system, a network and an officer around one small Forbear."""
