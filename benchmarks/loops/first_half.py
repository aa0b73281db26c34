"""The first 30 loops. Prompts are worked on with these in view."""

from dynaspark_core.doctor.definition import Loop, call, holds, one_of
from loops.kitchen import KITCHEN, add_to_shopping_list, get_recipe, set_alarm, start_timer
from loops.library import LIBRARY, author_details, find_book, reader_loans, search_rules
from loops.post import POST, depot_hours, median, register_shipment, track_parcel
from loops.rail import RAIL, book_seat, convert_units, next_train, road_distance, train_delay
from loops.talks import LONG_TRAIN_TALK, TRAIN_TALK

FIFTEEN = (*RAIL, *LIBRARY, *KITCHEN, track_parcel)
EC_51 = one_of("EC 51", "EC51")
NOT_THERE = (
    *("no parcel", "not exist", "n't exist", "not find", "n't find", "not found", "no such", "not a valid", "invalid"),
    *("unable", "not available", "no record", "not in", "no information"),
)

SINGLE = (
    Loop(
        "single", "train", "When does the next train from Basel to Zurich leave?", RAIL,
        (call(next_train, origin="Basel", destination=one_of("Zurich", "Zürich")),), ("10:07",),
    ),
    Loop(
        "single", "shelf", "On which shelf does the library keep Moby Dick?", LIBRARY,
        (call(find_book, title="Moby Dick"),), ("C4",),
    ),
    Loop(
        "single", "timer", "Start a timer for 12 minutes, for the pasta.", KITCHEN,
        (call(start_timer, minutes=12),), ("12",),
    ),
)  # fmt: skip
NONE = (
    Loop("none", "greeting", "Good morning! Nice to meet you.", RAIL),
    Loop("none", "planet", "Which planet is closest to the sun?", LIBRARY, (), ("mercury",)),
    Loop("none", "praise", "Thanks, you were a great help.", KITCHEN),
    Loop(
        "none", "sea", "Write two rhyming lines about the sea.", POST,
        (), (("sea", "wave", "tide", "ocean", "blue"),),
    ),
    Loop(
        "none", "first-question", "Which train did I ask you about just now?", RAIL,
        (), ("ic 8",), history=TRAIN_TALK,
    ),
)  # fmt: skip
LANGUAGE = (
    Loop(
        "language", "verspaetung", "Wie viel Verspätung hat der Zug IC 8?", RAIL,
        (call(train_delay, train_number="IC 8"),), ("7",),
    ),
    Loop(
        "language", "posylka", "Где сейчас посылка номер 5501?", POST,
        (call(track_parcel, parcel_number=5501),), (("вен", "vienna"),),
    ),
    Loop("language", "danke", "Vielen Dank, das hat mir sehr geholfen!", LIBRARY),
)  # fmt: skip
SEQUENTIAL = (
    Loop(
        "sequential", "author-country", "Which country does the author of the book Silent Harbour come from?", LIBRARY,
        (call(find_book, title="Silent Harbour"), call(author_details, author_id=17)), (("finland", "finnish"),),
    ),
    Loop(
        "sequential", "train-late", "How late is the next train from Bern to Milan?", RAIL,
        (call(next_train, origin="Bern", destination="Milan"), call(train_delay, train_number=EC_51)), ("25",),
    ),
    Loop(
        "sequential", "miles", "How many miles is it from Lyon to Geneva by road?", RAIL,
        (call(road_distance), call(convert_units, value=150, unit=holds("k"), target_unit=holds("mi"))),
        (("93", "93.2"),),
    ),
    Loop(
        "sequential", "reader-author",
        "The reader with card 604 has a book at home. In which year was its author born?", LIBRARY,
        (call(reader_loans, card_number=604), call(find_book, title="Salt Roads"), call(author_details, author_id=23)),
        ("1961",),
    ),
    Loop(
        "sequential", "pancakes",
        "Look up the recipe for pancakes, put all its ingredients on the shopping list, "
        "and start a timer for the time it takes.", KITCHEN,
        (
            call(get_recipe, dish=holds("pancake")),
            call(add_to_shopping_list, items=["flour", "milk", "eggs"]),
            call(start_timer, minutes=20),
        ),
    ),
)  # fmt: skip
PARALLEL = (
    Loop(
        "parallel", "two-delays", "How late are the trains IC 8 and EC 51?", RAIL,
        (call(train_delay, train_number="IC 8"), call(train_delay, train_number="EC 51")), ("7", "25"), ordered=False,
    ),
    Loop(
        "parallel", "parcel-depot", "Where is parcel 6120, and when does the depot in Graz open?", POST,
        (call(track_parcel, parcel_number=6120), call(depot_hours, town="Graz")),
        ("neighbo", ("7:15", "07:15")), ordered=False,
    ),
)  # fmt: skip
ERROR = (
    Loop(
        "error", "error-title", "How many copies of War and Piece does the library have?", LIBRARY,
        (call(find_book, title="War and Peace"),), (("3", "three"),), allowed=(find_book,),
    ),
    Loop(
        "error", "error-busy", "Where is parcel 8080?", POST,
        (call(track_parcel, parcel_number=8080),) * 2, ("customs",),
        failures={"track_parcel": "Tracking is overloaded at the moment. Send the same request again."},
    ),
    Loop(
        "error", "error-none", "Where is parcel 17?", POST,
        (call(track_parcel, parcel_number=17),), (NOT_THERE,), allowed=(track_parcel,),
    ),
)  # fmt: skip
ARGUMENTS = (
    Loop(
        "arguments", "seat", "Book me a seat in first class on train IC 8, in the quiet zone.", RAIL,
        (call(book_seat, train_number="IC 8", travel_class="first", quiet_zone=True),), (("41", "booked"),),
    ),
    Loop(
        "arguments", "median", "Use the tool to find the median of 3, 9, 4, 1 and 12.", POST,
        (call(median, numbers=[3, 9, 4, 1, 12]),), ("4",),
    ),
    Loop(
        "arguments", "shipment",
        "Register a shipment of Nora Fink, Hill Street 3, Graz: 2 boxes of 4 kilos each and 1 tube of 0.5 kilos.", POST,
        (
            call(
                register_shipment,
                sender={"name": "Nora Fink", "street": "Hill Street 3", "town": "Graz"},
                pieces=[{"kind": "box", "count": 2, "kilos": 4}, {"kind": "tube", "count": 1, "kilos": 0.5}],
            ),
        ),
        (("s-73", "registered"),),
    ),
    Loop(
        "arguments", "alarm", "Wake me at 06:30 on Mondays and Thursdays.", KITCHEN,
        (call(set_alarm, time="06:30", days=["mon", "thu"]),), (("6:30", "06:30", "alarm", "set"),),
    ),
)  # fmt: skip
LONG = (
    Loop(
        "long", "fifteen-one", "Put candles and matches on the shopping list.", FIFTEEN,
        (call(add_to_shopping_list, items=["candles", "matches"]),),
    ),
    Loop("long", "fifteen-none", "What is the opposite of cold?", FIFTEEN, (), (("hot", "warm"),)),
    Loop(
        "long", "long-talk", "And the RE 3?", RAIL,
        (call(train_delay, train_number="RE 3"),), ("on time",), history=LONG_TRAIN_TALK,
    ),
)  # fmt: skip
RAG = (
    Loop(
        "rag", "fee", "What does a membership cost a student, according to the rules of the library?", LIBRARY,
        (call(search_rules, query=holds("member", "fee", "student")),), (("9", "nine"),),
    ),
)  # fmt: skip
SYSTEM = (
    Loop(
        "system", "good-trip", "How late is the EC 51?", RAIL,
        (call(train_delay, train_number="EC 51"),), ("25", "good trip"),
        system="You help travellers at a station. End every answer with the words: Have a good trip!",
    ),
)  # fmt: skip
FIRST_HALF = (
    *(*SINGLE, *NONE, *LANGUAGE, *SEQUENTIAL, *PARALLEL, *ERROR, *ARGUMENTS, *LONG),
    *(*RAG, *SYSTEM),
)
