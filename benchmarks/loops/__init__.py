"""Tool loops: short conversations with tools that always answer the same, and what must be called and said in each.

`catalog` has them all. The definitions know no model, no framework and no runner: the loops are in `first_half` and
`second_half`, their tools in `rail`, `library`, `kitchen` and `post`, and in `clinic` and `office`. The words for them,
the verdict, and what a doctor asks are in `dynaspark_core.doctor`: `definition`, `judge`, `questions`, `home`, `shop`.
`session`, `faces`, `kept` and `table` run and report.
"""
