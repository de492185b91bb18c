"""Infrastructure code: from a live resource id to the one literal that sets its size, and no byte more."""
