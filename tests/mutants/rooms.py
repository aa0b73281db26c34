"""Which tests exercise a module of the pure half: those of its room, the quickest to notice first."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

READINGS = "test_readings.py"
READING = (
    READINGS, "test_reply_reader.py", "test_reply_lenient_json.py", "test_canitoolcall.py", "test_reply_fuzz.py",
    "test_reply_properties.py", "test_reply_hard.py",
)  # fmt: skip
VALUE = (READINGS, "test_reply_value.py", "test_reply_value_classes.py", "test_reply_bounds.py", *READING[1:])
ODD = tuple(
    f"test_images_odd.py::test_{name}"
    for name in (
        "the_cap_of_pixels_cannot_be_gone_around",
        "an_animation_is_one_that_decoders_play",
        "a_jpeg_with_bytes_between_its_segments_goes_as_it_is",
        "a_file_begins_as_it_did_where_what_is_dropped_is_followed_by_other_bytes",
        "a_damaged_image_that_decodes_whole_is_encoded_anew",
        "what_does_not_decode_is_refused_with_its_own_reason",
        "thousands_of_broken_tags_are_no_warnings",
        "exif_that_cannot_be_read_is_one_warning",
        "the_orientation_is_read",
        "what_cannot_be_sent_says_how_to_convert_it",
        "a_jpeg_of_thousands_of_scans_is_refused",
        "what_a_decoder_keeps_too_much_of_goes_alone_and_on_no_sheet",
    )
)
"""Those that are quick; what measures memory takes half a minute."""
ROOMS: Mapping[str, Sequence[str]] = {
    "reply/value": VALUE,
    "reply/candidates": VALUE,
    "reply/presented": VALUE,
    "reply/partial": VALUE,
    "reply/wrapped": VALUE,
    "reply/required": ("test_reply_required.py", "test_repair.py"),
    "reply/strict_json": VALUE,
    "reply/own": ("test_reply_own.py", *READING),
    "reply/stops": ("test_reply_stops.py",),
    "reply/lenient_json": (READINGS, "test_reply_lenient_json.py", *VALUE[1:]),
    "reply/lenient_strings": (READINGS, "test_reply_lenient_json.py", *VALUE[1:]),
    "reply/plain": ("test_reply_shown.py", *READING),
    "reply/prose": ("test_reply_shown.py", *READING),
    "reply/shown": ("test_reply_shown.py", *READING),
    "reply": (*READING, "test_reply_value.py"),
    "schema/flat": ("test_schema_flat.py", READINGS, "test_schema.py", "test_reply_value.py", "test_reply_reader.py"),
    "schema": (READINGS, "test_schema.py", "test_reply_value.py", "test_reply_reader.py", "test_prompt_compact.py"),
    "prompt": (
        "test_prompt.py", "test_prompt_compact.py", "test_reply_reader.py", "test_repair_request.py",
        "test_preview.py",
    ),
    "content": (
        "test_content_checks.py", "test_content_blocks.py", "test_content_dictionaries.py", "test_messages.py",
        "test_langchain_content.py", "test_vision.py", "test_client.py",
    ),
    "images/addresses": ("test_images_addresses.py", "test_loading.py"),
    "images/metadata": ("test_images_odd.py::test_the_orientation_is_read", "test_images.py"),
    "images": ("test_images.py", "test_loading.py", *ODD, "test_vision.py", "test_picture_history.py"),
    "wire/redaction": ("test_wire_redaction.py", "test_client.py"),
    "wire/query": ("test_wire_http.py", "test_call_options.py", "test_routes.py", "test_client.py"),
    "wire": ("test_wire_http.py", "test_wire_decoders.py", "test_wire_pacing.py", "test_client.py"),
    "exchange": ("test_client.py", "test_preview.py", "test_langchain_tools.py", "test_repair.py"),
    "repair": ("test_repair_request.py", "test_repair.py", "test_langchain_tools.py", "test_reasoning.py"),
    "messages": (
        "test_messages.py", "test_prompt.py", "test_content_blocks.py", "test_reply_reader.py", "test_repair.py",
        "test_client.py", "test_langchain_content.py", "test_vision.py",
    ),
    "messages/making": ("test_making.py",),
}  # fmt: skip


def tests_of(path: str) -> Sequence[str]:
    """The test files for `dynaspark_core/…`, by the module's name or its room's."""
    name = path.removeprefix("dynaspark_core/").removesuffix(".py")
    return ROOMS[name] if name in ROOMS else ROOMS[name.partition("/")[0]]


def pure_modules(root: Path) -> Iterator[str]:
    """The modules that the table covers, below the root."""
    for path in sorted((root / "dynaspark_core").rglob("*.py")):
        relative = path.relative_to(root).as_posix()
        room = relative.removeprefix("dynaspark_core/").removesuffix(".py").partition("/")[0]
        if path.name != "__init__.py" and any(name.partition("/")[0] == room for name in ROOMS):
            yield relative
