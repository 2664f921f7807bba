from bookings.models.bookings import Booking
from bookings.models.orders import Order, OrderLine
from bookings.models.products import Product, new_product_id

__all__ = ["Booking", "Order", "OrderLine", "Product", "new_product_id"]
