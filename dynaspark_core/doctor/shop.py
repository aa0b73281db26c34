"""Tools of a garden shop."""

from dynaspark_core.doctor.definition import ToolFailure, changing

_PRODUCTS = {
    "P-77": "potting soil, 20 litres, 6.90 euros",
    "P-12": "watering can, green, 14.50 euros",
    "P-208": "rose shears, 23.00 euros",
}
_STOCK = {
    "P-77": "130 in stock",
    "P-12": "48 in stock",
    "P-208": "none in stock, the next delivery comes on 3 May",
}
_ORDERS = {5567: "waits for the product P-208", 7001: "is on its way and arrives on Friday", 7002: "was delivered"}


def search_products(words: str) -> str:
    """Search the shop's products; gives the product_id, the name and the price of each."""
    asked = {word.rstrip("s") for word in words.casefold().split()}
    found = [f"{key}: {text}" for key, text in _PRODUCTS.items() if any(word in text for word in asked)]
    return "\n".join(found) or "Nothing was found."


def stock_level(product_id: str) -> str:
    """How many of a product are in stock. A product_id looks like P-5."""
    if product_id.upper() not in _STOCK:
        raise ToolFailure(f"No product has the id {product_id}.")
    return f"{product_id}: {_STOCK[product_id.upper()]}"


@changing
def place_order(product_id: str, quantity: int, *, gift_wrap: bool = False) -> str:
    """Order some pieces of one product."""
    if product_id.upper() not in _STOCK:
        raise ToolFailure(f"No product has the id {product_id}.")
    return f"Order 9021 is placed: {quantity} of {product_id}{', gift-wrapped' if gift_wrap else ''}."


def order_status(order_number: int) -> str:
    """How far an order is."""
    if order_number not in _ORDERS:
        raise ToolFailure(f"There is no order {order_number}.")
    return f"Order {order_number} {_ORDERS[order_number]}."


SHOP = (search_products, stock_level, place_order, order_status)
