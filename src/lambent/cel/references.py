"""Which paths of the bound names an expression reads, found without evaluating it.

A path is a tuple: the name, then fields and constant keys, as far as they are static; `WILDCARD` ends a path whose
next step is computed. `guarded` paths are those an expression only looks at carefully (`has(a.b)`, `a.?b`), so that a
missing value there is no error. Variables of macros are not names. The walk accepts every tree the parser makes.
"""

from typing import Final, NamedTuple

from lambent.cel.syntax import Ident, Index, Literal, Macro, Node, Select, children

Path = tuple[str, ...]


class _Wildcard(str):
    """`"*"` that can be told from a key of that spelling by identity."""

    __slots__ = ()


WILDCARD: Final[str] = _Wildcard("*")


class References(NamedTuple):
    """All paths, and those among them that are only tested for."""

    paths: frozenset[Path]
    guarded: frozenset[Path]


def references(tree: Node, names: frozenset[str]) -> References:
    """The paths below declared `names` that a tree reads."""
    walk = _Walk(names)
    walk.visit(tree)
    return References(frozenset(walk.paths | walk.guarded), frozenset(walk.guarded))


class _Walk:
    """A walk with a list of its own instead of recursion, so that no depth of tree can end it."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.paths: set[Path] = set()
        self.guarded: set[Path] = set()
        self._waiting: list[tuple[Node, frozenset[str], bool]] = []

    def visit(self, tree: Node) -> None:
        """Walk the whole tree. Each entry waiting is a node, the variables in scope, and whether it is only tested."""
        self._waiting.append((tree, frozenset(), False))
        while self._waiting:
            node, bound, guarded = self._waiting.pop()
            if isinstance(node, Ident | Select | Index):
                self._chain(node, bound, guarded)
            elif isinstance(node, Macro):
                self._macro(node, bound)
            else:
                self._waiting.extend((child, bound, False) for child in children(node))

    def _macro(self, node: Macro, bound: frozenset[str]) -> None:
        if node.target is not None:
            self._waiting.append((node.target, bound, False))
        inner = bound.union(node.variables)
        for at, arg in enumerate(node.args):
            self._waiting.append((arg, bound if at < node.outer else inner, node.name == "has"))

    def _chain(self, node: Node, bound: frozenset[str], guarded: bool) -> None:
        """A chain of selections: its keys are visited, and its path noted if a declared name begins it."""
        steps: list[str] = []
        while isinstance(node, Select | Index):
            guarded = guarded or node.optional
            if isinstance(node, Select):
                steps.append(node.field)
            else:
                steps.append(_step(node.key))
                self._waiting.append((node.key, bound, False))
            node = node.operand
        if not isinstance(node, Ident):
            self._waiting.append((node, bound, False))
            return
        root = self._root(node, bound, steps)
        if root is not None:
            path = _until_wildcard((*root, *reversed(steps)))
            (self.guarded if guarded else self.paths).add(path)

    def _root(self, node: Ident, bound: frozenset[str], steps: list[str]) -> Path | None:
        if node.name in bound and not node.absolute:
            return None
        if node.name in self.names:
            return (node.name,)
        dotted = node.name
        for step in reversed(steps):
            dotted = f"{dotted}.{step}"
            if dotted in self.names:
                return (node.name,)
        return None


def _step(key: Node) -> str:
    if isinstance(key, Literal) and isinstance(key.value, str | int) and not isinstance(key.value, bool):
        return str(int(key.value)) if isinstance(key.value, int) else key.value
    if isinstance(key, Literal) and isinstance(key.value, bool):
        return "true" if key.value else "false"
    return WILDCARD


def _until_wildcard(path: Path) -> Path:
    for at, step in enumerate(path):
        if step is WILDCARD:
            return path[: at + 1]
    return path
