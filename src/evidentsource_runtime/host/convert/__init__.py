"""The conversion room: the only place that knows what values cross the boundary to a component.

- :mod:`.contract` says what the contract is, as data;
- :mod:`.shapes` reads what one component's contract is, and refuses it where it differs too much;
- :mod:`.codec` is what the rest of the host sees; :mod:`.stock` is the codec there is;
- :mod:`.lower` and :mod:`.lift` are its two directions; :mod:`.callbacks` touches wasmtime's C API.
"""
