from campaigns.models import Feedback
from notion_sync.mapping import NotionMapping
from notion_sync.properties import (
    SERVER,
    Checkbox,
    Date,
    DateTime,
    Formula,
    MultiSelect,
    Number,
    People,
    Relation,
    Select,
    Text,
    Title,
)


class FeedbackSurveys(NotionMapping):
    key = "feedback_surveys"
    title = "Feedback & Surveys"
    model = Feedback
    identity = ("feedback_id",)
    match_on = (("feedback_id",), ("source", "external_reference_id"))

    feedback_title = Title("Title")
    feedback_id = Text("Feedback ID", owner=SERVER)
    source = Select("Source")
    external_reference_id = Text("External Reference ID", owner=SERVER)
    survey_form = Text("Survey / Form")
    contact = Relation("Contact", to="contacts_profiles", reverse="Feedback")
    related_product = Relation("Related Product/Service", to="products_services", reverse="Feedback")
    business_entity = Relation("Business Entity", to="business_entities", reverse="Feedback")
    date_received = DateTime("Date Received")
    feedback_type = Select("Feedback Type")
    rating = Number("Rating")
    rating_scale = Number("Rating Scale")
    feedback_content = Text("Feedback Content")
    sentiment = Select("Sentiment")
    status = Select("Status")
    response_required = Checkbox("Response Required")
    response = Text("Response")
    response_date = Date("Response Date")
    responded_by = People("Responded By")
    tags = MultiSelect("Tags")
    days_since_received = Formula("Days Since Received", 'dateBetween(now(), prop("Date Received"), "days")')
    response_time = Formula("Response Time", 'dateBetween(prop("Response Date"), prop("Date Received"), "days")')
