"""Streamlit: a chat with a picture; the answer appears as it arrives. Run `streamlit run web_streamlit.py`."""

import streamlit

from dynaspark_core import DynasparkClient, DynasparkError

client = DynasparkClient()
messages = streamlit.session_state.setdefault("messages", [])
picture = streamlit.sidebar.file_uploader("A picture", type=["png", "jpg", "gif", "webp"])
for message in messages:
    streamlit.chat_message(message["role"]).write(message["content"])

if text := streamlit.chat_input("Ask something"):
    streamlit.chat_message("user").write(text)
    question = {"role": "user", "content": text}
    images = [(picture.name, picture.getvalue())] if picture else []
    try:
        pieces = client.sync.stream([*messages, question], images=images)
        answer = streamlit.chat_message("assistant").write_stream(pieces)
    except DynasparkError as error:
        streamlit.error(str(error))
    else:
        messages.extend([question, {"role": "assistant", "content": answer}])
