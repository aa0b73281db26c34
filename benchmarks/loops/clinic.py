"""Tools of a clinic."""

from typing import Literal

from dynaspark_core.doctor.definition import ToolFailure, changing

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday"]
_DOCTORS = {
    "skin": "Dr. Imre Kovacs, doctor_id D-31",
    "eyes": "Dr. Ana Sousa, doctor_id D-44",
    "teeth": "Dr. Olu Adeyemi, doctor_id D-12",
}
_TIMES = {
    ("D-31", "tuesday"): "14:20 and 16:00",
    ("D-31", "thursday"): "08:40",
    ("D-44", "friday"): "09:10 and 11:30",
    ("D-12", "monday"): "10:00",
}


def find_doctor(field: Literal["skin", "eyes", "teeth"]) -> str:
    """The clinic's doctor for a field: name and doctor_id."""
    return _DOCTORS[field]


def free_times(doctor_id: str, day: Weekday) -> str:
    """The free times of a doctor on a day of this week."""
    if doctor_id not in {text[-4:] for text in _DOCTORS.values()}:
        raise ToolFailure(f"No doctor has the id {doctor_id}.")
    return f"{doctor_id} on {day}: {_TIMES.get((doctor_id, day), 'nothing is free')}"


@changing
def book_appointment(doctor_id: str, day: Weekday, time: str) -> str:
    """Book an appointment with a doctor at a free time, HH:MM."""
    return f"Appointment 812 with {doctor_id} on {day} at {time} is booked."


@changing
def cancel_appointment(appointment_number: int) -> str:
    """Cancel an appointment."""
    if appointment_number != 615:
        raise ToolFailure(f"There is no appointment {appointment_number}.")
    return "Appointment 615 is cancelled."


CLINIC = (find_doctor, free_times, book_appointment, cancel_appointment)
