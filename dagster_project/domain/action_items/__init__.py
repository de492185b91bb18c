"""Action items: what they are, who says what of them, what becomes of them."""
