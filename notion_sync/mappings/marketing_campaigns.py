from campaigns.models import Campaign
from notion_sync.mapping import NotionMapping
from notion_sync.properties import (
    NOTION,
    SERVER,
    DateTime,
    Formula,
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


class MarketingCampaigns(NotionMapping):
    key = "marketing_campaigns"
    title = "Marketing Campaigns"
    model = Campaign
    identity = ("campaign_id",)
    match_on = (("campaign_id",), ("external_id",))

    campaign_name = Title("Campaign Name")
    campaign_id = Text("Campaign ID", owner=SERVER)
    description = Text("Description")
    goals = Text("Goals")
    status = Select("Status")
    business_entity = Relation("Business Entity", to="business_entities", reverse="Campaigns")
    campaign_type = Select("Campaign Type")
    start_date = DateTime("Start Date")
    end_date = DateTime("End Date")
    target_audience = MultiSelect("Target Audience")
    target_criteria = Json("Target Criteria")
    channels = MultiSelect("Channels")
    related_products = Relation("Related Products", to="products_services", reverse="Campaigns")
    audience_contacts = Relation("Audience Contacts", to="contacts_profiles", reverse="Campaigns")
    owner = People("Owner", owner=NOTION)
    budget = Number("Budget", format="dollar")
    actual_spend = Number("Actual Spend", format="dollar")
    recipients = Number("Recipients", owner=SERVER)
    opens = Number("Opens", owner=SERVER)
    unique_opens = Number("Unique Opens", owner=SERVER)
    clicks = Number("Clicks", owner=SERVER)
    unique_clicks = Number("Unique Clicks", owner=SERVER)
    unsubscribes = Number("Unsubscribes", owner=SERVER)
    leads_generated = Number("Leads Generated", owner=SERVER)
    conversions = Number("Conversions", owner=SERVER)
    open_rate = Formula(
        "Open Rate", 'if(prop("Recipients") > 0, prop("Unique Opens") / prop("Recipients"), toNumber(""))'
    )
    click_rate = Formula(
        "Click Rate", 'if(prop("Recipients") > 0, prop("Unique Clicks") / prop("Recipients"), toNumber(""))'
    )
    performance_metrics = Json("Performance Metrics", owner=SERVER)
    results_summary = Text("Results Summary")
    utm = Text("UTM")
    external_id = Text("External ID", owner=SERVER)
    external_url = Url("External URL", owner=SERVER)
    campaign_duration = Formula("Campaign Duration", 'dateBetween(prop("End Date"), prop("Start Date"), "days")')
