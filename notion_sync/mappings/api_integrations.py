from agents_app.models import ApiIntegration
from notion_sync.mapping import NotionMapping
from notion_sync.properties import NOTION, SERVER, DateTime, MultiSelect, People, Relation, Select, Text, Title, Url


class ApiIntegrations(NotionMapping):
    key = "api_integrations"
    title = "API Integrations Catalog"
    model = ApiIntegration
    identity = ("integration_id",)
    match_on = (("integration_id",), ("api_platform", "integration_name"), ("api_platform",))

    integration_name = Title("Integration Name")
    integration_id = Text("Integration ID", owner=SERVER)
    description = Text("Description")
    api_platform = Select("API Platform")
    status = Select("Status")
    api_version = Text("API Version")
    auth_method = Select("Auth Method")
    api_key_reference = Text("API Key Reference")
    webhook_authentication_method = Select("Webhook Authentication Method")
    base_url = Url("Base URL")
    documentation_url = Url("Documentation URL")
    business_entities = Relation("Business Entities", to="business_entities", reverse="Integrations")
    rate_limits = Text("Rate Limits")
    rate_limiting_strategy = Text("Rate Limiting Strategy")
    endpoints_used = Text("Endpoints Used")
    implementation_notes = Text("Implementation Notes")
    data_mapping = Relation("Data Mapping", to="data_transformations", reverse="Related API Integrations")
    last_tested = DateTime("Last Tested", owner=SERVER)
    last_result = Select("Last Result", owner=SERVER)
    owner = People("Owner", owner=NOTION)
    tags = MultiSelect("Tags")
