"""A module's source → every small change of it: one comparison, one condition or one constant at a time."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
SAME_ANYWAY = {"frozen", "slots", "repr", "strict", "maxsize"}
"""Keywords whose value changes nothing that a reply or a prompt shows."""


@dataclass(frozen=True, slots=True)
class Change:
    """One expression of a module in place of another."""

    path: str
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}  {self.before}  →  {self.after}"


def changes(path: str, source: str) -> Iterator[Change]:
    """Every change of a module."""
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    whole = b"".join(lines)
    tree = ast.parse(source)
    conditions = set(_conditions(tree))
    for node in _expressions(tree):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        before = " ".join(whole[begin:end].decode().split())
        for after in _variants(node, is_condition=node in conditions):
            changed = whole[:begin] + f"({after})".encode() + whole[end:]
            yield Change(path, node.lineno, before, after, changed.decode())


def _conditions(tree: ast.AST) -> Iterator[ast.expr]:
    """What decides which way the code goes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            yield node.test
        elif isinstance(node, ast.comprehension):
            yield from node.ifs


def _expressions(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions that run; neither types nor decorators, nor the parts of an f-string or of an assertion."""
    for name, value in ast.iter_fields(tree):
        if name in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        for node in value if isinstance(value, list) else [value]:
            is_left_out = isinstance(node, ast.JoinedStr | ast.Assert | ast.Raise) or (
                isinstance(node, ast.keyword) and node.arg in SAME_ANYWAY
            )
            if not isinstance(node, ast.AST) or is_left_out:
                continue
            if isinstance(node, ast.expr):
                yield node
            yield from _expressions(node)


def _variants(node: ast.expr, *, is_condition: bool) -> Iterator[str]:
    """What stands for the expression."""
    if isinstance(node, ast.Compare):
        comparison = COMPARISONS[type(node.ops[0])]()
        yield ast.unparse(ast.Compare(node.left, [comparison, *node.ops[1:]], node.comparators))
    elif isinstance(node, ast.BoolOp):
        yield ast.unparse(ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values))
        yield from (ast.unparse(_joined(node.op, values)) for values in (node.values[:-1], node.values[1:]))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield ast.unparse(node.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield str(node.value + 1)
    elif is_condition:
        yield f"not ({ast.unparse(node)})"


def _joined(operator: ast.boolop, values: list[ast.expr]) -> ast.expr:
    return ast.BoolOp(operator, values) if len(values) > 1 else values[0]
