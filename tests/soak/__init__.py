"""The soak: a service that is killed again and again, against one that was left in peace; and any bytes."""
