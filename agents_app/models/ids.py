"""Makers of this app's public ids, one named function each: migrations refer to them."""

from higherself.core.ids import public_id


def new_agent_id() -> str:
    return public_id("AGENT")


def new_pattern_id() -> str:
    return public_id("PATTERN")


def new_workflow_id() -> str:
    return public_id("WF")


def new_instance_id() -> str:
    return public_id("INST")


def new_use_case_id() -> str:
    return public_id("UC")


def new_task_id() -> str:
    return public_id("TASK")


def new_integration_id() -> str:
    return public_id("INT")


def new_transformation_id() -> str:
    return public_id("TRANSFORM")


def new_template_id() -> str:
    return public_id("NOTIF")


def new_approval_id() -> str:
    return public_id("APPR")


def new_assist_id() -> str:
    return public_id("ASST")
