from community.models import Reward
from notion_sync.mapping import NotionMapping
from notion_sync.properties import (
    NOTION,
    SERVER,
    Date,
    Files,
    Formula,
    MultiSelect,
    Number,
    Relation,
    Select,
    Text,
    Title,
)


class RewardsBounties(NotionMapping):
    key = "rewards_bounties"
    title = "Rewards & Bounties"
    model = Reward
    identity = ("reward_id",)
    match_on = (("reward_id",),)

    reward_name = Title("Reward Name")
    reward_id = Text("Reward ID", owner=SERVER)
    record_kind = Select("Record Kind")
    program = Relation("Program", to="rewards_bounties", reverse="Issued")
    description = Text("Description")
    reward_type = Select("Reward Type")
    status = Select("Status")
    points_value = Number("Points Value")
    monetary_value = Number("Monetary Value", format="dollar")
    business_entity = Relation("Business Entity", to="business_entities", reverse="Rewards")
    recipient = Relation("Recipient", to="contacts_profiles", reverse="Rewards Received")
    members = Relation("Member", to="community_hub", reverse="Rewards")
    eligibility_criteria = Text("Eligibility Criteria")
    qualifying_action = Text("Qualifying Action")
    start_date = Date("Start Date")
    end_date = Date("End Date")
    claimed_date = Date("Claimed Date")
    redemption_count = Number("Redemption Count", owner=SERVER)
    maximum_redemptions = Number("Maximum Redemptions")
    related_products = Relation("Related Products", to="products_services", reverse="Rewards")
    related_campaigns = Relation("Related Campaigns", to="marketing_campaigns", reverse="Rewards")
    related_transaction = Text("Related Transaction", owner=SERVER)
    target_audience = MultiSelect("Target Audience")
    redemption_instructions = Text("Redemption Instructions")
    redemption_code = Text("Redemption Code")
    image = Files("Image", owner=NOTION)
    redemption_percent = Formula(
        "Redemption %",
        'if(prop("Maximum Redemptions") > 0, prop("Redemption Count") / prop("Maximum Redemptions"), toNumber(""))',
    )
    days_remaining = Formula("Days Remaining", 'dateBetween(prop("End Date"), now(), "days")')
