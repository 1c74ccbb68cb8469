"""The modules here run inside components: nothing of them can be imported on this side."""

collect_ignore_glob = ["*.py"]
