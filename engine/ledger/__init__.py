"""What happened to an account, and where it stands as known at an instant."""
