from agents_app.models import NotificationTemplate
from notion_sync.mapping import NotionMapping
from notion_sync.properties import NOTION, SERVER, DateTime, MultiSelect, Number, People, Relation, Select, Text, Title


class NotificationsTemplates(NotionMapping):
    key = "notifications_templates"
    title = "Notifications Templates"
    model = NotificationTemplate
    identity = ("template_id",)
    match_on = (("template_id",), ("template_name",))

    template_name = Title("Template Name")
    template_id = Text("Template ID", owner=SERVER)
    description = Text("Description")
    channel = Select("Channel")
    subject_template = Text("Subject Template")
    content_template = Text("Content Template")
    supported_placeholders = MultiSelect("Supported Placeholders")
    trigger_event = Select("Trigger Event")
    status = Select("Status")
    version = Text("Version")
    edit_result = Text("Edit Result", owner=SERVER)
    sample_rendered_output = Text("Sample Rendered Output")
    business_entities = Relation("Business Entities", to="business_entities", reverse="Templates")
    related_workflows = Relation("Related Workflows", to="workflows_library", reverse="Templates")
    campaigns = Relation("Campaigns", to="marketing_campaigns", reverse="Templates")
    created_by = People("Created By", owner=NOTION)
    created_date = DateTime("Created Date")
    updated_at = DateTime("Last Updated", owner=SERVER, volatile=True)
    last_sent = DateTime("Last Sent", owner=SERVER)
    send_count = Number("Send Count", owner=SERVER)
    tags = MultiSelect("Tags")
