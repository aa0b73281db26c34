"""A chat becomes the one text that the service takes: `render`. It knows nothing of `reply`.

render    a chat → the text
turns     past calls and results, in the form that the tool section asks for
tools     what is said of tools and of the form of the answer
compact   a schema without what a model does not need
kept      what is written of the same tools or schema once more
markers   what is inserted cannot forge a turn, a call or a result
"""
