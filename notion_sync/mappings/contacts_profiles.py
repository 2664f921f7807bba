from contacts.models import Contact
from notion_sync.mapping import NotionMapping
from notion_sync.properties import (
    NOTION,
    SERVER,
    Checkbox,
    Date,
    DateTime,
    Email,
    Formula,
    Json,
    MultiSelect,
    Number,
    People,
    Phone,
    Relation,
    Select,
    Text,
    Title,
)


class ContactsProfiles(NotionMapping):
    key = "contacts_profiles"
    title = "Contacts & Profiles"
    model = Contact
    identity = ("contact_id",)
    match_on = (("contact_id",), ("email",))

    full_name = Title("Full Name")
    contact_id = Text("Contact ID", owner=SERVER)
    first_name = Text("First Name")
    last_name = Text("Last Name")
    email = Email("Email")
    phone = Phone("Phone")
    contact_type = Select("Contact Type")
    business_entities = Relation("Business Entity", to="business_entities", reverse="Contacts")
    lead_source = Select("Lead Source")
    status = Select("Status")
    tags = MultiSelect("Tags")
    interests = MultiSelect("Interests")
    marketing_segments = MultiSelect("Marketing Segments", owner=SERVER)
    email_opt_in = Checkbox("Email Opt-in")
    sms_opt_in = Checkbox("SMS Opt-in")
    consent_source = Text("Consent Source")
    consent_at = DateTime("Consent At")
    engagement_score = Number("Engagement Score", owner=SERVER)
    lead_score = Number("Lead Score", owner=SERVER)
    quality_level = Select("Quality Level", owner=SERVER)
    date_added = DateTime("Date Added")
    last_interaction = DateTime("Last Interaction")
    next_follow_up_date = Date("Next Follow-up Date")
    address = Text("Address")
    city = Text("City")
    state_province = Text("State/Province")
    postal_code = Text("Postal Code")
    company = Text("Company")
    job_title = Text("Job Title")
    country = Select("Country")
    artistic_mediums = MultiSelect("Artistic Medium(s)")
    experience_attended = MultiSelect("Experience Attended")
    primary_point_of_contact = People("Primary Point of Contact", owner=NOTION)
    hubspot_contact_id = Text("HubSpot Contact ID", owner=SERVER)
    airtable_record_id = Text("Airtable Record ID", owner=SERVER)
    beehiiv_subscription_id = Text("Beehiiv Subscription ID", owner=SERVER)
    external_ids = Json("External IDs", owner=SERVER)
    source_record_id = Text("Source Record ID", owner=SERVER)
    notes = Text("Notes")
    days_since_last_interaction = Formula(
        "Days Since Last Interaction",
        'dateBetween(now(), if(empty(prop("Last Interaction")), prop("Date Added"), prop("Last Interaction")), "days")',
    )
