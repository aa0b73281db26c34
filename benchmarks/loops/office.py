"""Tools of a company's office."""

import re

from pydantic import BaseModel

from dynaspark_core.doctor.definition import ToolFailure, changing
from loops.library import best_two

_EMPLOYEES = {
    "lena brandt": "employee_id 318, sales, her manager has the employee_id 52",
    "omar haddad": "employee_id 52, head of sales",
}
_EXTENSIONS = {52: 7740, 318: 7265}
_HANDBOOK = (
    "Holidays: Everybody has 27 days a year; 5 of them may be kept until the end of March.",
    "Family: After the birth of a child, both parents get 20 paid days of leave.",
    "Pets: Dogs are welcome in the office on Fridays only. Other animals stay at home.",
    "Equipment: If a company laptop or phone is lost, the employee pays at most 150 euros, the company the rest.",
    "Travel: Trains are booked in second class, flights only over 800 km.",
    "Sickness: Call before 9:00. A doctor's note is needed from the third day on.",
)


class Place(BaseModel):
    building: str
    floor: int


def find_employee(name: str) -> str:
    """An employee's id, department and manager, by the full name."""
    if name.casefold() not in _EMPLOYEES:
        raise ToolFailure(f"No employee has the name {name}.")
    return f"{name}: {_EMPLOYEES[name.casefold()]}"


def phone_extension(employee_id: int) -> str:
    """The phone extension of an employee."""
    if employee_id not in _EXTENSIONS:
        raise ToolFailure(f"No employee has the id {employee_id}.")
    return f"Employee {employee_id}: extension {_EXTENSIONS[employee_id]}"


def room_calendar(room: str, date: str) -> str:
    """When a meeting room is taken on a date."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        raise ToolFailure(f"Cannot read the date {date!r}. Call again with the date as YYYY-MM-DD.")
    return f"{room} on {date}: taken until 14:00, then free."


@changing
def schedule_meeting(title: str, attendees: list[str], start: str, minutes: int, place: Place) -> str:
    """Put a meeting into the calendars of its attendees. The start is HH:MM today."""
    where = f"{place.building}, floor {place.floor}"
    return f"'{title}' at {start} for {minutes} minutes in {where}: {len(attendees)} people are invited."


def search_handbook(query: str) -> str:
    """Search the company's handbook: holidays, family, pets, equipment, travel, sickness."""
    return best_two(_HANDBOOK, query)


OFFICE = (find_employee, phone_extension, room_calendar, schedule_meeting, search_handbook)
