from agents_app.models import Task
from notion_sync.mapping import NotionMapping
from notion_sync.properties import (
    SERVER,
    DateTime,
    Formula,
    MultiSelect,
    Number,
    People,
    Relation,
    Select,
    Text,
    Title,
)


class MasterTasks(NotionMapping):
    key = "master_tasks"
    title = "Master Tasks"
    model = Task
    identity = ("task_id",)
    match_on = (("task_id",), ("task_key",))

    task_name = Title("Task Name")
    task_id = Text("Task ID", owner=SERVER)
    task_key = Text("Task Key", owner=SERVER)
    status = Select("Status")
    description = Text("Description")
    notes = Text("Notes")
    priority = Select("Priority")
    category = Select("Category")
    due_date = DateTime("Due Date")
    assigned_to = People("Assigned To")
    assignee_text = Text("Assignee (text)")
    assigned_agent = Relation("Assigned Agent", to="agent_registry", reverse="Tasks")
    related_workflow_instance = Relation(
        "Related Workflow Instance", to="active_workflow_instances", reverse="Related Tasks"
    )
    related_business_entity = Relation("Related Business Entity", to="business_entities", reverse="Tasks")
    related_contact = Relation("Related Contact", to="contacts_profiles", reverse="Tasks")
    related_feedback = Relation("Related Feedback", to="feedback_surveys", reverse="Action Items")
    created_by = Text("Created By")
    created_date = DateTime("Created Date")
    updated_at = DateTime("Last Edited Date", owner=SERVER, volatile=True)
    completed_date = DateTime("Completed Date")
    tags = MultiSelect("Tags")
    source = Select("Source")
    estimated_time = Number("Estimated Time")
    actual_time = Number("Actual Time")
    dependencies = Relation("Dependencies", to="master_tasks", reverse="Blocks")
    parent = Relation("Parent", to="master_tasks", reverse="Subtasks")
    days_until_due = Formula("Days Until Due", 'dateBetween(prop("Due Date"), now(), "days")')
    completion_time = Formula("Completion Time", 'dateBetween(prop("Completed Date"), prop("Created Date"), "hours")')
