from bookings.models import Product
from notion_sync.mapping import NotionMapping
from notion_sync.properties import (
    SERVER,
    Checkbox,
    DateRange,
    Files,
    Formula,
    MultiSelect,
    Number,
    Relation,
    Select,
    Text,
    Title,
    Url,
)


class ProductsServices(NotionMapping):
    key = "products_services"
    title = "Products & Services"
    model = Product
    identity = ("product_id",)
    match_on = (("product_id",), ("integration_system", "external_id"))

    name = Title("Name")
    product_id = Text("Product ID", owner=SERVER)
    type = Select("Type")
    description = Text("Description")
    price = Number("Price", format="dollar")
    currency = Select("Currency")
    status = Select("Status")
    inventory_count = Number("Inventory Count")
    business_entity = Relation("Business Entity", to="business_entities", reverse="Products & Services")
    integration_system = Select("Integration System")
    # People connect a product with a shop's or a booking system's by typing its id.
    external_id = Text("External ID")
    sku = Text("SKU")
    images = Files("Images")
    booking_link = Url("Booking Link")
    duration_minutes = Number("Duration Minutes")
    starts_at = DateRange("Start / End", end="ends_at")
    capacity = Number("Capacity")
    artist = Relation("Artist", to="contacts_profiles", reverse="Artworks")
    categories = MultiSelect("Categories")
    tags = MultiSelect("Tags")
    featured = Checkbox("Featured")
    price_tier = Formula(
        "Price Tier",
        'if(empty(prop("Price")), "", if(prop("Price") < 100, "Budget", '
        'if(prop("Price") < 500, "Standard", "Premium")))',
    )
    is_physical = Formula("Is Physical", 'or(prop("Type") == "Art Piece", prop("Type") == "Physical Product")')
