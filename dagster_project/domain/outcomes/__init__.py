"""What became of changes that were applied, and what is learned from it."""
