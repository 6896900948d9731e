"""What workflows ask for, one file an effect; each class was given the ports it needs."""
