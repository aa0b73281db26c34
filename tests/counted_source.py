"""The source of a module, rewritten so that it counts its steps: every piece of it that costs calls `__steps__`."""

import ast
from typing import Any

CORE, COUNTED = "dynaspark_core", "counted_core"
ROOMS = (f"{CORE}.reply", f"{CORE}.schema")
"""The rooms that are rewritten; they import each other's copies."""


class Rewriter(ast.NodeTransformer):
    """Puts the counter into the source of a module."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.module is not None and node.module.startswith(ROOMS):
            node.module = node.module.replace(CORE, COUNTED, 1)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.body.insert(0, _step())
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.body.insert(0, _step())
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        node.body.insert(0, _step())
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.iter = _counted("each", node.iter)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return node
        return ast.Call(_method("call"), [node.func, *node.args], node.keywords)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        is_cut = isinstance(node.slice, ast.Slice) and isinstance(node.ctx, ast.Load)
        return _counted("sized", node) if is_cut else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _counted("sized", node) if isinstance(node.op, ast.Add | ast.BitOr | ast.Mult) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return _counted("sized", node)

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        self.generic_visit(node)
        return _counted("sized", node) if None in node.keys else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ops[0], ast.In | ast.NotIn) or len(node.ops) > 1:
            return node
        held = _counted("holds", node.left, node.comparators[0])
        return held if isinstance(node.ops[0], ast.In) else ast.UnaryOp(ast.Not(), held)

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        node.value = self.visit(node.value)
        if not isinstance(node.op, ast.Add):
            return node
        if isinstance(node.target, ast.Attribute):
            target = ast.Attribute(node.target.value, node.target.attr, ast.Load())
            return [node, ast.Expr(_counted("copied", target))]
        node.value = _counted("sized", node.value)
        return node


def _method(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("__steps__", ast.Load()), name, ast.Load())


def _counted(name: str, *values: ast.expr) -> ast.expr:
    return ast.Call(_method(name), list(values), [])


def _step() -> ast.stmt:
    return ast.Expr(_counted("add"))
