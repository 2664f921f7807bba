from agents_app.models import UseCase
from notion_sync.mapping import NotionMapping
from notion_sync.properties import NOTION, SERVER, Date, MultiSelect, People, Relation, Select, Text, Title, Url


class UseCases(NotionMapping):
    key = "use_cases"
    title = "Use Cases Library"
    model = UseCase
    identity = ("use_case_id",)
    match_on = (("use_case_id",), ("use_case_title",))

    use_case_title = Title("Use Case Title")
    use_case_id = Text("Use Case ID", owner=SERVER)
    description = Text("Description")
    business_value = Text("Business Value")
    user_stories = Text("User Stories")
    acceptance_criteria = Text("Acceptance Criteria")
    implementation_status = Select("Implementation Status")
    business_entities = Relation("Business Entities", to="business_entities", reverse="Use Cases")
    related_workflows = Relation("Related Workflows", to="workflows_library", reverse="Related Use Cases")
    required_integrations = Relation("Required Integrations", to="api_integrations", reverse="Use Cases")
    priority = Select("Priority")
    complexity = Select("Complexity")
    estimated_effort = Select("Estimated Effort")
    stakeholders = People("Stakeholders", owner=NOTION)
    created_date = Date("Created Date")
    target_implementation_date = Date("Target Implementation Date")
    actual_implementation_date = Date("Actual Implementation Date")
    tags = MultiSelect("Tags")
    documentation_url = Url("Documentation URL")
    notion_dashboard_link = Url("Notion Dashboard Link")
