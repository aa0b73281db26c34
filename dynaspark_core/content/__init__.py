"""What callers write → our words: a message's content, role/content dictionaries, checks of a whole chat.

dictionaries   lists of messages as OpenAI writes them
blocks         the blocks of a message's content
image_refs     images as callers name them
files          text files, and the marks of what is not sent
records        what other providers note in an assistant's turn
tool_results   results of tools that other providers put into a user's turn
checks         a chat before it is rendered
"""
