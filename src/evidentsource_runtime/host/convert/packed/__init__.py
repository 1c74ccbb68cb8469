"""A codec of our own: between values of the domain and the memory of wasmtime's C API.

wasmtime-py's own conversion reads the types anew for every value, which is 96 % of a call. Here they
are read once, and nothing stands between the domain and memory:

- :mod:`.layout` is how values lie in memory; :mod:`.sheet` is the memory that we pack into, and
  :mod:`.names` the texts in it that never change;
- :mod:`.writers` and :mod:`.readers` make one closure for each type, :mod:`.makers` says what is made
  of what was read;
- :mod:`.events` and :mod:`.attributes` pack events, of which there are many, in columns;
- :mod:`.plan` is what is made of one component's contract, :mod:`.bodies` are the functions that it
  calls, and :mod:`.codec` is the whole;
- :mod:`.check` tries all of it against wasmtime-py's conversion before it is used, on the components of
  :mod:`.specimen` and by means of :mod:`.trial`.

Nothing here is shared between threads but what never changes, so calls run in parallel.
"""
