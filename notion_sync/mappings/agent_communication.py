from agents_app.models import CommunicationPattern
from notion_sync.mapping import NotionMapping
from notion_sync.properties import (
    SERVER,
    DateTime,
    Json,
    MultiSelect,
    Number,
    Relation,
    Rollup,
    Select,
    Text,
    Title,
    Url,
)


class AgentCommunication(NotionMapping):
    key = "agent_communication"
    title = "Agent Communication Patterns"
    model = CommunicationPattern
    identity = ("pattern_id",)
    match_on = (("pattern_id",), ("pattern_name",))

    pattern_name = Title("Pattern Name")
    pattern_id = Text("Pattern ID", owner=SERVER)
    description = Text("Description")
    source_agent = Relation("Source Agent", to="agent_registry", reverse="Sends")
    target_agent = Relation("Target Agent", to="agent_registry", reverse="Receives")
    message_format = Json("Message Format")
    sample_payload = Json("Sample Payload")
    event_type = Text("Event Type")
    communication_protocol = Select("Communication Protocol")
    active_workflows_using = Relation(
        "Active Workflows Using", to="workflows_library", reverse="Communication Patterns"
    )
    version = Text("Version")
    status = Select("Status")
    created_date = DateTime("Created Date")
    updated_at = DateTime("Last Updated", owner=SERVER, volatile=True)
    success_criteria = Text("Success Criteria")
    error_handling = Text("Error Handling")
    timeout_settings = Number("Timeout Settings")
    required_permissions = MultiSelect("Required Permissions")
    tags = MultiSelect("Tags")
    documentation_url = Url("Documentation URL")
    usage_count = Rollup("Usage Count", relation="Active Workflows Using", property_name="Workflow Name")
