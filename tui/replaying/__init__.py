"""A stored session played again: what the screen for it is made of."""
