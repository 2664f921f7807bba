"""What agents, the engine and pages share: the catalogue in memory, tasks from templates, messages to people."""
