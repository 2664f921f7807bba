"""The benchmarks: the real processes on databases of their own, measured from outside.

    make bench
    python -m bench [intake|leads|latency|sync|pace ...] [--backend sqlite|postgres|both] [--seconds N] [--scale N]

One JSON document goes to stdout, a table to stderr; docs/benchmarks.md says what the figures mean. Each scenario runs
in a process of its own, with its own database, ports and var directory, and removes them afterwards.
"""
