"""Statements that cannot fail, so that it does not matter whether they ran."""

import ast

from .memory import Memory

SIZED = ("frame", "list", "dict", "set")
FRAME_LOOKS = frozenset(("head", "tail", "info", "copy", "isna", "nunique"))
FRAME_SHOWS = frozenset(("shape", "columns", "index", "dtypes", "size", "empty"))


def cannot_fail(node: ast.stmt | None, memory: Memory) -> bool:
    """Tell whether a statement only shows or names something and certainly cannot fail."""
    match node:
        case ast.Pass():
            return True
        case ast.Expr(value=value):
            return _sure(value, memory)
        case ast.Assign(targets=targets, value=value):
            return all(isinstance(t, ast.Name) for t in targets) and _sure(value, memory)
        case ast.FunctionDef(args=arguments, decorator_list=[], returns=None):
            parts = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            defaults = [*arguments.defaults, *(d for d in arguments.kw_defaults if d)]
            annotated = any(part.annotation for part in parts)
            return not annotated and all(_sure(default, memory) for default in defaults)
    return False


def _sure(node: ast.expr, memory: Memory) -> bool:
    match node:
        case ast.Constant() | ast.Lambda(args=ast.arguments(defaults=[], kw_defaults=[])):
            return True
        case ast.Name(id=name):
            return name in memory.names
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return all(_sure(part, memory) for part in parts)
        case ast.Dict(keys=keys, values=values):
            constant = all(isinstance(key, ast.Constant) for key in keys)
            return constant and all(_sure(value, memory) for value in values)
        case ast.Call(func=ast.Name(id="print" | "type" | "id" as name), args=parts, keywords=[]):
            single = name == "print" or len(parts) == 1
            return name not in memory.names and single and all(_sure(p, memory) for p in parts)
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)], keywords=[]):
            return "len" not in memory.names and _kind(name, memory) in SIZED
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr), args=[], keywords=[]):
            return attr in FRAME_LOOKS and _kind(name, memory) == "frame"
        case ast.Attribute(value=ast.Name(id=name), attr=attr):
            return attr in FRAME_SHOWS and _kind(name, memory) == "frame"
    return False


def _kind(name: str, memory: Memory) -> str:
    return memory.kind(memory.names[name].value) if name in memory.names else ""
