"""Components without a build: programs handed to, or written into, a base component made before.

`Host().load_source` runs a user's modules as they stand; `evidentsource build --reproducible` fills
the slot of a base component. `docs/instant.md` says how, and what differs from an ordinary build.
"""
