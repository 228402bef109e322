"""Mutants: the small changes of a Python file that a test should notice, each as the whole changed text.

Never runs anything and never touches a file. A place is cut out of the text and something else put in, so that what is
changed can be read as a difference; what then is no Python is no mutant.

Words are left alone (strings, documentation), and so are annotations, decorators and what is inside of an f-string:
Python 3.11 does not tell where in the file that is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,  # the neighbour, not the opposite: what happens just at the bound is what is seldom tested
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
STATEMENTS = (ast.Expr, ast.AugAssign, ast.Raise, ast.Break, ast.Continue)


@dataclass(frozen=True, slots=True)
class Mutant:
    line: int
    source: str


def mutants(source: str) -> list[Mutant]:
    """All of them, in the order of the file."""
    found: dict[str, Mutant] = {}
    for node in _live(ast.parse(source)):
        for place, instead in [*_values(node), *_conditions(node), *_statements(node)]:
            changed = _spliced(source, place, instead)
            if changed != source and _is_python(changed):
                found.setdefault(changed, Mutant(place.lineno, changed))
    return sorted(found.values(), key=lambda each: each.line)


def difference(source: str, mutant: Mutant) -> str:
    """The lines that are taken out and put in."""
    lines = unified_diff(source.splitlines(), mutant.source.splitlines(), lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def _live(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what is in it, without the parts that are for readers and type checkers."""
    if isinstance(node, ast.JoinedStr):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name not in {"annotation", "returns", "decorator_list"}:
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.AST):
                    yield from _live(part)


Change = tuple[ast.expr | ast.stmt, str]  # a place, and what to put there


def _values(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(left, ops, comparators):
            for index, op in enumerate(ops):
                others = [*ops[:index], COMPARISONS[type(op)](), *ops[index + 1 :]]
                yield node, ast.unparse(ast.Compare(left, others, comparators))
        case ast.BoolOp(op, values):
            yield node, ast.unparse(ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values))
        case ast.UnaryOp(ast.Not(), operand):
            yield node, ast.unparse(operand)
        case ast.BinOp(left, op, right) if type(op) in ARITHMETIC:
            yield node, ast.unparse(ast.BinOp(left, ARITHMETIC[type(op)](), right))
        case ast.Constant(bool(value)):
            yield node, str(not value)
        case ast.Constant(int(value) | float(value)):
            yield node, repr(value + 1)
            yield node, repr(value - 1)
        case ast.Call(ast.Name(name), arguments, keywords) if name in CALLS:
            yield node, ast.unparse(ast.Call(ast.Name(CALLS[name]), arguments, keywords))


def _conditions(node: ast.AST) -> Iterator[Change]:
    """A condition turned round; of comparisons and of ``not`` that is done among the values."""
    match node:
        case ast.If(test) | ast.While(test) | ast.IfExp(test) | ast.match_case(guard=ast.expr() as test):
            tests = [test]
        case ast.comprehension():
            tests = node.ifs
        case _:
            tests = []
    for test in tests:
        if not isinstance(test, ast.Compare | ast.UnaryOp | ast.Constant):
            yield test, f"not ({ast.unparse(test)})"


def _statements(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Expr(ast.Constant()):
            return  # documentation, or the three dots of a protocol
        case ast.Return(ast.expr()):
            yield node, "return None"
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Break() | ast.Continue():
            yield node, "pass"


def _spliced(source: str, place: ast.expr | ast.stmt, instead: str) -> str:
    """``source`` with ``instead`` at a place, whose columns Python counts in bytes of UTF-8."""
    lines = source.encode().splitlines(keepends=True)
    assert place.end_lineno is not None
    assert place.end_col_offset is not None
    start = sum(map(len, lines[: place.lineno - 1])) + place.col_offset
    end = sum(map(len, lines[: place.end_lineno - 1])) + place.end_col_offset
    put = f"({instead})" if isinstance(place, ast.expr) and not isinstance(place, ast.Constant) else instead
    text = b"".join(lines)
    return (text[:start] + put.encode() + text[end:]).decode()


def _is_python(source: str) -> bool:
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True
