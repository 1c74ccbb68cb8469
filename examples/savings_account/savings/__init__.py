"""A savings bank: its events, its rules, its views. Amounts are whole cents."""
