"""The conversion room: the only place that knows what values cross the boundary to a component.

- :mod:`.contract` says what the contract is, as data;
- :mod:`.shapes` reads what one component's contract is, and refuses it where it differs too much;
- :mod:`.codec` is what the rest of the host sees, :mod:`.bodies` what all codecs share of the functions
  that a component calls;
- :mod:`.packed` is the codec that is used, and :mod:`.stock` the one with wasmtime-py's own conversion,
  to compare with and to fall back to;
- :mod:`.lower` and :mod:`.lift` are the two directions of the latter, and say for both what is wrong
  with a value;
- :mod:`.abi` is the one module that uses private names of wasmtime.
"""
