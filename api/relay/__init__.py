"""What goes out of the outbox: starts and pokes to Temporal, signed webhooks to the receiver."""
