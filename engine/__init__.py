"""The pure room: text, bytes and values in, decisions and traces out."""
