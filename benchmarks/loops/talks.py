"""Earlier turns of conversations."""

from dynaspark_core.doctor.definition import PastCall, Said
from dynaspark_core.doctor.shop import order_status, place_order, search_products, stock_level
from loops.rail import book_seat, next_train, train_delay

TRAIN_TALK = (
    Said("user", "How late is the train IC 8?"),
    PastCall(train_delay, {"train_number": "IC 8"}, "IC 8: 7 minutes late"),
    Said("assistant", "The IC 8 is 7 minutes late today."),
)
LONG_TRAIN_TALK = (
    Said("user", "Hi! I plan a journey through the Alps and have a few questions on the way."),
    Said("assistant", "With pleasure. Ask whatever you want to know about trains, seats and distances."),
    Said("user", "Which train goes from Bern to Milan next?"),
    PastCall(next_train, {"origin": "Bern", "destination": "Milan"}, "EC 51 at 12:30 from platform 2"),
    Said("assistant", "The next one is the EC 51. It leaves Bern at 12:30 from platform 2."),
    Said("user", "Does it pass the Simplon tunnel, and is that the oldest tunnel of the Alps?"),
    Said(
        "assistant",
        "It does. The Simplon tunnel was opened in 1906; "
        "the Gotthard rail tunnel of 1882 is older, and so is the Mont Cenis tunnel of 1871.",
    ),
    Said("user", "Book me a seat in second class, please."),
    PastCall(
        book_seat, {"train_number": "EC 51", "travel_class": "second"}, "Seat 41 on EC 51, second class, is booked."
    ),
    Said("assistant", "Your seat is booked: number 41 in second class on the EC 51."),
    Said("user", "Wonderful. What should I eat in Milan?"),
    Said(
        "assistant",
        "Try risotto alla milanese, which owes its colour to saffron, or a cotoletta. "
        "In winter, panettone is everywhere.",
    ),
    Said("user", "How late is the EC 51 today?"),
    PastCall(train_delay, {"train_number": "EC 51"}, "EC 51: 25 minutes late"),
    Said("assistant", "The EC 51 is 25 minutes late today."),
)
LONG_SHOP_TALK = (
    Said("user", "Hello, I have just taken over an allotment and need some things for it."),
    Said("assistant", "Congratulations! Tell me what you need, and I look whether we have it."),
    Said("user", "What do you have for watering?"),
    PastCall(search_products, {"words": "watering"}, "P-12: watering can, green, 14.50 euros"),
    Said("assistant", "We have a green watering can for 14.50 euros."),
    Said("user", "Is it better to water in the morning or in the evening?"),
    Said("assistant", "In the morning: the leaves dry during the day, and less water evaporates than at noon."),
    Said("user", "Good to know. Do you have enough of the cans?"),
    PastCall(stock_level, {"product_id": "P-12"}, "P-12: 48 in stock"),
    Said("assistant", "Yes, there are 48 of them in stock."),
    Said("user", "Then I take two."),
    PastCall(place_order, {"product_id": "P-12", "quantity": 2}, "Order 9020 is placed: 2 of P-12."),
    Said("assistant", "I have ordered two watering cans for you; it is order 9020."),
    Said("user", "By the way, has my order 7002 come?"),
    PastCall(order_status, {"order_number": 7002}, "Order 7002 was delivered."),
    Said("assistant", "Yes, order 7002 was delivered."),
)
