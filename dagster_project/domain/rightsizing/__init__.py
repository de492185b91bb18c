"""What a resource needs, which sizes hold it, and what is said about it."""
