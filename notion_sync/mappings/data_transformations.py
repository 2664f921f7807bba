from agents_app.models import DataTransformation
from notion_sync.mapping import NotionMapping
from notion_sync.properties import NOTION, SERVER, DateTime, Json, MultiSelect, People, Relation, Select, Text, Title


class DataTransformations(NotionMapping):
    key = "data_transformations"
    title = "Data Transformations Registry"
    model = DataTransformation
    identity = ("transformation_id",)
    match_on = (("transformation_id",), ("transformation_name",))

    transformation_name = Title("Transformation Name")
    transformation_id = Text("Transformation ID", owner=SERVER)
    description = Text("Description")
    source_format = Select("Source Format")
    target_format = Select("Target Format")
    source_system = Select("Source System")
    target_system = Select("Target System")
    transformation_logic = Json("Transformation Logic")
    edit_result = Text("Edit Result", owner=SERVER)
    form_source_key = Text("Form/Source Key")
    sample_input = Text("Sample Input")
    sample_output = Text("Sample Output")
    status = Select("Status")
    version = Text("Version")
    business_entities = Relation("Business Entities", to="business_entities", reverse="Transformations")
    used_by_workflows = Relation("Used By Workflows", to="workflows_library", reverse="Transformations")
    created_date = DateTime("Created Date")
    updated_at = DateTime("Last Updated", owner=SERVER, volatile=True)
    owner = People("Owner", owner=NOTION)
    tags = MultiSelect("Tags")
