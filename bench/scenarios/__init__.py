"""One module per scenario, each with ``measure(stage, options, result)``."""
