"""The other 30 loops, of other tools and questions. They show whether what helps the first half helps elsewhere."""

from dynaspark_core.doctor.definition import Loop, call, holds, one_of
from dynaspark_core.doctor.home import HOME, log_expense, read_meter, room_temperature, switch_lamp
from dynaspark_core.doctor.questions import (
    CAPITAL,
    DEAR_GARDENER,
    ECO,
    ERROR_LOUNGE,
    LAMP,
    MERCI,
    ORDER_SOIL,
    ORDINE,
    WATER,
)
from dynaspark_core.doctor.shop import SHOP, order_status, stock_level
from loops import pictures
from loops.clinic import CLINIC, book_appointment, find_doctor, free_times
from loops.office import OFFICE, find_employee, phone_extension, room_calendar, schedule_meeting, search_handbook
from loops.talks import LONG_SHOP_TALK

ALL_TOOLS = (*CLINIC, *SHOP, *OFFICE, *HOME)
NINE_TEN = one_of("09:10", "9:10")

SINGLE = (
    Loop(
        "single", "extension", "What is the phone extension of the employee with the id 52?", OFFICE,
        (call(phone_extension, employee_id=52),), ("7740",),
    ),
    LAMP,
    WATER,
)  # fmt: skip
NONE = (
    Loop(
        "none", "poem", "Write a short poem about autumn leaves.", SHOP,
        (), (("leaf", "leaves", "autumn"),),
    ),
    Loop("none", "thanks", "Thank you, that is all I wanted to know.", CLINIC),
    Loop("none", "how-are-you", "Hello, how are you today?", OFFICE),
    CAPITAL,
)  # fmt: skip
LANGUAGE = (ORDINE, MERCI)
SEQUENTIAL = (
    Loop(
        "sequential", "skin-tuesday", "At what times is the skin doctor free on Tuesday?", CLINIC,
        (call(find_doctor, field="skin"), call(free_times, doctor_id="D-31", day="tuesday")), ("14:20", "16:00"),
    ),
    Loop(
        "sequential", "manager-phone", "I need the phone extension of Lena Brandt's manager.", OFFICE,
        (call(find_employee, name="Lena Brandt"), call(phone_extension, employee_id=52)), ("7740",),
    ),
    ORDER_SOIL,
    Loop(
        "sequential", "waiting-order",
        "My order 5567 is waiting for a product. On what day does that product come in again?", SHOP,
        (call(order_status, order_number=5567), call(stock_level, product_id="P-208")),
        (("3 may", "may 3", "3rd of may", "may 3rd", "3rd may"),),
    ),
    Loop(
        "sequential", "eyes-friday", "Book me an appointment with the eye doctor, at the first free time on Friday.",
        CLINIC,
        (
            call(find_doctor, field="eyes"),
            call(free_times, doctor_id="D-44", day="friday"),
            call(book_appointment, doctor_id="D-44", day="friday", time=NINE_TEN),
        ),
        (("812", "9:10", "09:10", "booked"),),
    ),
)  # fmt: skip
PARALLEL = (
    Loop(
        "parallel", "two-rooms", "How warm is it in the kitchen and in the bedroom?", HOME,
        (call(room_temperature, room="kitchen"), call(room_temperature, room="bedroom")),
        (("19", "19.0"), "17.5"), ordered=False,
    ),
    Loop(
        "parallel", "stock-and-order", "How many of P-77 do you have, and when does my order 7001 arrive?", SHOP,
        (call(stock_level, product_id="P-77"), call(order_status, order_number=7001)),
        ("130", "friday"), ordered=False,
    ),
)  # fmt: skip
ERROR = (
    ERROR_LOUNGE,
    Loop(
        "error", "error-meter", "What does the gas meter show?", HOME,
        (call(read_meter, meter="gas"),) * 2, (("1,836", "1836", "1.836"),),
        failures={"read_meter": "The meter did not answer in time. Please call again with the same arguments."},
    ),
    Loop(
        "error", "error-date", "Until when is the meeting room Aspen taken on 9 March 2026?", OFFICE,
        (call(room_calendar, room=holds("aspen"), date="2026-03-09"),),
        (("14:00", "2 pm", "2:00 pm", "2 p.m."),), allowed=(room_calendar,),
    ),
)  # fmt: skip
ARGUMENTS = (
    Loop(
        "arguments", "meeting",
        "Schedule the meeting 'Budget' with Lena Brandt and Omar Haddad at 14:30 for 45 minutes, "
        "in the North building on floor 2.", OFFICE,
        (
            call(
                schedule_meeting,
                title="Budget",
                attendees=["Lena Brandt", "Omar Haddad"],
                start="14:30",
                minutes=45,
                place={"building": holds("north"), "floor": 2},
            ),
        ),
        ("budget",),
    ),
    ECO,
)  # fmt: skip
LONG = (
    Loop(
        "long", "eighteen-one", "Switch the lamp in the hall off.", ALL_TOOLS,
        (call(switch_lamp, room=holds("hall"), on=False),), (("hall", "lamp", "done"),),
    ),
    Loop(
        "long", "shop-talk", "And what about order 7001?", SHOP,
        (call(order_status, order_number=7001),), ("friday",), history=LONG_SHOP_TALK,
    ),
)  # fmt: skip
RAG = (
    Loop(
        "rag", "dog", "May I bring my dog to our office?", OFFICE,
        (call(search_handbook, query=holds("dog", "pet", "animal")),), ("friday",),
    ),
    Loop(
        "rag", "birth", "How many days off do I get when my child is born?", OFFICE,
        (call(search_handbook, query=holds("child", "birth", "born", "parent", "family", "leave")),),
        (("20", "twenty"),),
    ),
    Loop(
        "rag", "laptop", "I have lost my company laptop. How much do I have to pay at most?", OFFICE,
        (call(search_handbook, query=holds("laptop", "lost", "equipment")),), ("150",),
    ),
)  # fmt: skip
IMAGE = (
    Loop(
        "image", "receipt", "Put this receipt into the household's expenses, as food.", HOME,
        (call(log_expense, shop=holds("market hall"), total=11.6, category="food"),), (("11.6", "11.60"),),
        image=pictures.receipt,
    ),
    Loop(
        "image", "label", "How many of the article on this label are in stock?", SHOP,
        (call(stock_level, product_id="P-12"),), ("48",), image=pictures.label,
    ),
    Loop(
        "image", "sign", "When does the museum on this sign close on Sunday?", OFFICE,
        (), (("17:30", "5:30"),), image=pictures.sign,
    ),
)  # fmt: skip
SYSTEM = (DEAR_GARDENER,)
SECOND_HALF = (
    *(*SINGLE, *NONE, *LANGUAGE, *SEQUENTIAL, *PARALLEL, *ERROR, *ARGUMENTS, *LONG),
    *(*RAG, *IMAGE, *SYSTEM),
)
