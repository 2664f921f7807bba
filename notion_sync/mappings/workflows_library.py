from agents_app.models import Workflow
from notion_sync.mapping import NotionMapping
from notion_sync.properties import (
    NOTION,
    SERVER,
    DateTime,
    Json,
    MultiSelect,
    Number,
    People,
    Relation,
    Select,
    Text,
    Title,
    Url,
)


class WorkflowsLibrary(NotionMapping):
    key = "workflows_library"
    title = "Workflows Library"
    model = Workflow
    identity = ("workflow_id", "version")
    match_on = (("workflow_id", "version"),)

    workflow_name = Title("Workflow Name")
    # People begin a new version by copying a page: then the id stays and the version changes.
    workflow_id = Text("Workflow ID")
    description = Text("Description")
    status = Select("Status")
    business_entities = Relation("Business Entities", to="business_entities", reverse="Primary Workflows")
    trigger_type = Select("Trigger Type")
    trigger_conditions = Text("Trigger Conditions")
    initial_state = Text("Initial State")
    states = Json("States", empty=list)
    transitions = Json("Transitions", empty=list)
    required_integrations = Relation("Required Integrations", to="api_integrations", reverse="Workflows")
    active_instances_count = Number("Active Instances Count", owner=SERVER)
    total_instances_count = Number("Total Instances Count", owner=SERVER)
    average_completion_time = Number("Average Completion Time (h)", owner=SERVER)
    success_rate = Number("Success Rate", format="percent", owner=SERVER)
    version = Text("Version")
    edit_result = Text("Edit Result", owner=SERVER)
    data_schema = Json("Data Schema")
    validation_model_path = Text("Validation Model Path")
    visualization_url = Url("Visualization URL")
    documentation_url = Url("Documentation URL")
    created_date = DateTime("Created Date")
    updated_at = DateTime("Last Updated", owner=SERVER, volatile=True)
    owner = People("Owner", owner=NOTION)
    tags = MultiSelect("Tags")
