"""What cannot be rebuilt, and everything that changes the outside world."""
