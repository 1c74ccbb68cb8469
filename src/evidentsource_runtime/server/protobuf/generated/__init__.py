"""Written by `make proto`; nothing here is edited."""
