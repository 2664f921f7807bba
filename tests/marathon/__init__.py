"""Random edits of all sixteen databases on both sides, with faults, kills and people who edit during a run.

    python -m tests.marathon --seed 1 --steps 400 [--postgres] [--version 2025-09-03]

Runs the real `sync_notion` in processes of their own against a local Notion. From time to time everything comes to
rest; then both sides must be equal, a second run must change nothing, no record may have two pages, and every edit must
be the value of today, be followed by a later one, or stand in a conflict. The same seed makes the same edits; what the
processes make of time is their own.
"""
