from agents_app.models import Agent
from notion_sync.mapping import NotionMapping
from notion_sync.properties import (
    NOTION,
    SERVER,
    DateTime,
    MultiSelect,
    Number,
    People,
    Relation,
    Select,
    Text,
    Title,
    Url,
)


class AgentRegistry(NotionMapping):
    key = "agent_registry"
    title = "Agent Registry"
    model = Agent
    identity = ("agent_id",)
    match_on = (("agent_id",), ("agent_name",))

    agent_name = Title("Agent Name")
    agent_id = Text("Agent ID", owner=SERVER)
    description = Text("Description")
    version = Text("Version")
    status = Select("Status")
    capabilities = MultiSelect("Capabilities")
    primary_apis_utilized = MultiSelect("Primary APIs Utilized")
    business_entities = Relation("Business Entity Association", to="business_entities", reverse="Active Agents")
    runtime_environment = Select("Runtime Environment")
    source_code_location = Text("Source Code Location")
    primary_data_sources = MultiSelect("Primary Data Sources")
    primary_data_sinks = MultiSelect("Primary Data Sinks")
    health_status = Select("Health Status", owner=SERVER)
    last_execution = DateTime("Last Execution", owner=SERVER)
    execution_count = Number("Execution Count", owner=SERVER)
    success_rate = Number("Success Rate", format="percent", owner=SERVER)
    api_integrations = Relation("API Integrations", to="api_integrations", reverse="Agents Using")
    data_transformations = Relation("Data Transformations", to="data_transformations", reverse="Agents Using")
    workflows = Relation("Workflows", to="workflows_library", reverse="Required Agents")
    owner = People("Owner", owner=NOTION)
    documentation_url = Url("Documentation URL")
