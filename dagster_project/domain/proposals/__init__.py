"""What becomes of a verdict that says propose: items, groups, what is remembered of them, and what a night does with them."""
