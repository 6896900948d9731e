"""The production-rule matcher in a process of its own."""
