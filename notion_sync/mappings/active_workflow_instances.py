from agents_app.models import WorkflowInstance
from notion_sync.mapping import NotionMapping
from notion_sync.properties import (
    REQUEST,
    SERVER,
    Checkbox,
    DateTime,
    Email,
    Formula,
    Json,
    MultiSelect,
    People,
    Phone,
    Relation,
    Select,
    Text,
    Title,
)


class ActiveWorkflowInstances(NotionMapping):
    key = "active_workflow_instances"
    title = "Active Workflow Instances"
    model = WorkflowInstance
    identity = ("instance_id",)
    match_on = (("instance_id",),)

    instance_name = Title("Instance Name")
    instance_id = Text("Instance ID", owner=SERVER)
    workflow = Relation("Workflow", to="workflows_library", reverse="Instances")
    business_entity = Relation("Business Entity", to="business_entities", reverse="Workflow Instances")
    contact = Relation("Contact", to="contacts_profiles", reverse="Workflow Instances")
    products = Relation("Product/Service", to="products_services", reverse="Workflow Instances")
    campaign = Relation("Campaign", to="marketing_campaigns", reverse="Workflow Instance")
    feedback = Relation("Feedback", to="feedback_surveys", reverse="Related Workflow Instance")
    current_state = Select("Current State", owner=REQUEST)
    status = Select("Status")
    priority = Select("Priority")
    source_system = Select("Source System")
    source_record_id = Text("Source Record ID", owner=SERVER)
    client_lead_email = Email("Client/Lead Email", owner=SERVER)
    client_lead_name = Text("Client/Lead Name", owner=SERVER)
    client_lead_phone = Phone("Client/Lead Phone", owner=SERVER)
    start_date = DateTime("Start Date")
    last_transition_date = DateTime("Last Transition Date", owner=SERVER)
    end_date = DateTime("End Date", owner=SERVER)
    assigned_to = People("Assigned To")
    assigned_agent = Relation("Assigned Agent", to="agent_registry", reverse="Assigned Instances")
    tags = MultiSelect("Tags")
    error_message = Text("Error Message", owner=SERVER)
    key_data = Json("Key Data", owner=SERVER)
    history_tail = Text("History (tail)", owner=SERVER)
    hubspot_contact_id = Text("HubSpot Contact ID", owner=SERVER)
    airtable_record_id = Text("Airtable Record ID", owner=SERVER)
    testing_mode = Checkbox("Testing Mode")
    validation_status = Select("Validation Status")
    duration_days = Formula(
        "Duration Days",
        'dateBetween(if(empty(prop("End Date")), now(), prop("End Date")), prop("Start Date"), "days")',
    )
    sla_status = Formula(
        "SLA Status",
        'if(dateBetween(if(empty(prop("End Date")), now(), prop("End Date")), prop("Start Date"), "days") > 7, '
        '"Overdue", if(prop("Status") == "Completed", "Met", "Within SLA"))',
    )
