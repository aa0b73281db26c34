"""Tools of a public library."""

import re

from dynaspark_core.doctor.definition import ToolFailure, changing

_BOOKS = {
    "moby dick": "shelf C4, 2 copies, author_id 5",
    "silent harbour": "shelf A1, 1 copy, author_id 17",
    "salt roads": "on loan, author_id 23",
    "war and peace": "shelf K9, 3 copies, author_id 8",
}
_AUTHORS = {
    5: "Herman Melville, born 1819, from the USA",
    17: "Aino Salmi, born 1974, from Finland",
    23: "Ngozi Bello, born 1961, from Nigeria",
    8: "Leo Tolstoy, born 1828, from Russia",
}
_RULES = (
    "Section 2, fees: A membership costs 24 francs a year, for students 9 francs.",
    "Section 5, reading room: Dogs must wait outside; guide dogs are welcome. Bags go into the lockers.",
    "Section 6, printing: A printed page costs 10 cents, in colour 30 cents.",
    "Section 8, lost books: Who loses a book pays its price and 5 francs for the work.",
)


def find_book(title: str) -> str:
    """Where a book stands in the library, how many copies there are, and the id of its author."""
    key = title.strip(" '\".").casefold()
    if key not in _BOOKS:
        near = next((each.title() for each in _BOOKS if each.split()[0] == key.split(" ")[0]), "")
        hint = f" There is one called '{near.replace('And', 'and')}'." if near else ""
        raise ToolFailure(f"No book has the title {title!r}.{hint}")
    return f"{title}: {_BOOKS[key]}"


def author_details(author_id: int) -> str:
    """Name, year of birth and country of an author."""
    if author_id not in _AUTHORS:
        raise ToolFailure(f"No author has the id {author_id}.")
    return _AUTHORS[author_id]


def reader_loans(card_number: int) -> str:
    """Which books a reader has at home, by the number of the reader's card."""
    loans = "one book, 'Salt Roads', due on 12 June" if card_number == 604 else "no loans"
    return f"Card {card_number}: {loans}"


@changing
def reserve_book(title: str, card_number: int) -> str:
    """Reserve a book for a reader."""
    return f"'{title}' is reserved for card {card_number}."


def search_rules(query: str) -> str:
    """Search the rules of the library: fees, reading room, printing, lost books."""
    return best_two(_RULES, query)


def best_two(texts: tuple[str, ...], query: str) -> str:
    """The two texts that share most beginnings of words with the query."""
    words = {word[:5] for word in re.findall(r"\w{3,}", query.casefold())}
    ranked = sorted(texts, key=lambda text: -sum(word in text.casefold() for word in words))
    return "\n\n".join(ranked[:2])


LIBRARY = (find_book, author_details, reader_loans, reserve_book, search_rules)
