"""Agents, workflows, tasks and messages in the console."""

from agents_app.admin import approvals, catalog, home, instances, messages, panels, registry, runs, tasks, workflows

__all__ = ["approvals", "catalog", "home", "instances", "messages", "panels", "registry", "runs", "tasks", "workflows"]
