"""The HTTP API: `/v1` for billing systems, its page at `/docs`."""
