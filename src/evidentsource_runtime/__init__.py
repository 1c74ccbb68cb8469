"""Everything around a component: building it, running it, and the command line.

The package has three rooms: `evidentsource_runtime.build` makes a component out of Python
modules, `evidentsource_runtime.host` runs one, and `evidentsource_runtime.cli` is the command
`evidentsource`.
"""
