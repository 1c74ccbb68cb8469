"""The database: a store of events with the state views and state changes that are published in it."""
