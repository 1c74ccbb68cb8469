"""The command by another way: ``python -m evidentsource_runtime.cli``."""

import sys

from evidentsource_runtime.cli.app import main

sys.exit(main())
