"""Tools of a kitchen."""

from typing import Literal

from dynaspark_core.doctor.definition import ToolFailure, changing

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_RECIPES = {
    "pancakes": "Pancakes. Ingredients: flour, milk, eggs. Takes 20 minutes.",
    "lentil soup": "Lentil soup. Ingredients: lentils, carrots, onions. Takes 35 minutes.",
}


def get_recipe(dish: str) -> str:
    """The ingredients of a dish and how many minutes it takes."""
    key = dish.casefold().strip().rstrip("s")
    found = next((text for name, text in _RECIPES.items() if key == name.rstrip("s")), "")
    if not found:
        raise ToolFailure(f"There is no recipe for {dish}. There are: {', '.join(_RECIPES)}.")
    return found


@changing
def start_timer(minutes: int, label: str = "") -> str:
    """Start a kitchen timer."""
    return f"Timer started: {minutes} minutes{f' for {label}' if label else ''}."


@changing
def add_to_shopping_list(items: list[str]) -> str:
    """Put things on the shopping list."""
    return f"On the list now: {', '.join(items)}."


@changing
def set_alarm(time: str, days: list[Day]) -> str:
    """Set an alarm that rings on some days of the week. The time is HH:MM."""
    return f"The alarm rings at {time} on {', '.join(days)}."


KITCHEN = (get_recipe, start_timer, add_to_shopping_list, set_alarm)
