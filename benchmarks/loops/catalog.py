"""All loops, in two halves of about the same mix of kinds, and those that the frameworks' agents run too."""

from dynaspark_core.doctor.definition import Loop
from loops.first_half import FIRST_HALF
from loops.second_half import SECOND_HALF

ALL = (*FIRST_HALF, *SECOND_HALF)
_IN_FACES = (
    *("train", "planet", "train-late", "two-delays", "error-busy"),
    *("lamp", "thanks", "eyes-friday", "dog", "receipt"),
)
IN_FACES: tuple[Loop, ...] = tuple(loop for loop in ALL if loop.name in _IN_FACES)
"""Ten loops without earlier turns, five of each half."""
