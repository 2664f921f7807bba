from contacts.models import BusinessEntity
from notion_sync.mapping import NotionMapping
from notion_sync.properties import NOTION, SERVER, Email, Json, People, Rollup, Select, Text, Title, Url


class BusinessEntities(NotionMapping):
    key = "business_entities"
    title = "Business Entities Registry"
    model = BusinessEntity
    identity = ("entity_key",)
    match_on = (("entity_key",), ("name",))

    name = Title("Name")
    entity_key = Text("Entity Key", owner=SERVER)
    entity_type = Select("Entity Type")
    api_keys_reference = Text("API Keys Reference")
    integration_status = Select("Integration Status")
    website = Url("Website")
    sender_email = Email("Sender Email")
    default_assignee = People("Default Assignee", owner=NOTION)
    role_assignees = Text("Role Assignees")
    time_zone = Text("Time Zone")
    customer_analysis = Json("Customer Analysis", owner=SERVER)
    open_tasks = Rollup("Open Tasks", relation="Tasks", property_name="Task Name")
