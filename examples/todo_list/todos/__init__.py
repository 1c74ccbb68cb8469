"""A to-do list: items are added, ticked and cleared away."""
