"""Text files that are named by their path, read when the question is sent."""

import asyncio
from dataclasses import replace

from dynaspark_core.content.checks import is_sent_now
from dynaspark_core.content.files import MAX_TEXT_FILE_BYTES, decode_text
from dynaspark_core.errors import ImageError
from dynaspark_core.messages import Chat, Part, TextFile
from dynaspark_core.transport.loading import read_file


async def with_texts(chat: Chat) -> Chat:
    """The chat, with the text of each text file that is named by its path.

    Raises ImageError and its kinds for one that the user sends now and that cannot be read; others are not shown.
    """
    flags = is_sent_now([message.role for message in chat.messages])
    messages = [
        replace(message, content=tuple([await _with_text(part, is_new=is_new) for part in message.content]))
        if any(isinstance(part, TextFile) and part.text is None for part in message.content)
        else message
        for message, is_new in zip(chat.messages, flags, strict=True)
    ]
    return replace(chat, messages=tuple(messages))


async def _with_text(part: Part, *, is_new: bool) -> Part:
    if not isinstance(part, TextFile) or part.path is None or part.text is not None:
        return part
    try:
        data = await asyncio.to_thread(read_file, part.path, MAX_TEXT_FILE_BYTES)
        return replace(part, text=decode_text(data, part.name))
    except ImageError:
        if is_new:
            raise
        return part
