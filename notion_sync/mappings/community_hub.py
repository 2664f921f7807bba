from community.models import Member
from notion_sync.mapping import NotionMapping
from notion_sync.properties import (
    SERVER,
    DateTime,
    Email,
    Formula,
    Json,
    MultiSelect,
    Number,
    Relation,
    Select,
    Text,
    Title,
    Url,
)


class CommunityHub(NotionMapping):
    key = "community_hub"
    title = "Community Hub"
    model = Member
    identity = ("member_id",)
    match_on = (("member_id",), ("member_email",))

    member_name = Title("Member Name")
    member_id = Text("Member ID", owner=SERVER)
    contact_profile = Relation("Contact Profile", to="contacts_profiles", reverse="Community Profile")
    member_email = Email("Member Email")
    business_entity = Relation("Business Entity", to="business_entities", reverse="Community Members")
    campaigns = Relation("Campaigns", to="marketing_campaigns", reverse="Audience Members")
    join_date = DateTime("Join Date")
    membership_level = Select("Membership Level")
    membership_status = Select("Membership Status")
    primary_platform = Select("Primary Platform")
    platform_ids = Json("Platform IDs", owner=SERVER)
    profile_link = Url("Profile Link")
    engagement_score = Number("Engagement Score", owner=SERVER)
    last_active_date = DateTime("Last Active Date", owner=SERVER)
    last_engagement_type = Select("Last Engagement Type", owner=SERVER)
    interests = MultiSelect("Interests")
    interest_groups = MultiSelect("Interest Groups")
    events_attended = MultiSelect("Events Attended")
    badges = MultiSelect("Badges")
    notes = Text("Notes")
    days_since_active = Formula("Days Since Active", 'dateBetween(now(), prop("Last Active Date"), "days")')
    membership_age = Formula("Membership Age", 'dateBetween(now(), prop("Join Date"), "days")')
