"""Which fields of a record are read: the allow-list of one format as a tree of paths.

A path is written `usage/prompt_tokens_details/cached_tokens`; a trailing `[]` marks a list of scalars. Whatever
is not named here is never taken out of a record, which is how prompt and answer text stays out. How records
are decoded along the tree is in `json_columns.py` and `json_texts.py` (whole blocks) and `json_record.py` (one record, the reference).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

LIST_MARK = "[]"


@dataclass
class Node:
    """One object of the tree. An object may also be written as a JSON string that holds it.

    `details` are the paths, of values and of objects, that lead to nothing but details of a usage: what else stands there
    costs the detail, not the record. `bodies` are the objects in which an answer may lie, or may not: what else stands there
    is no answer, and no fault of the record.
    """

    path: str = ""
    details: set[str] = field(default_factory=set)
    bodies: set[str] = field(default_factory=set)
    leaves: dict[str, str] = field(default_factory=dict)  # key -> path of a scalar
    lists: dict[str, str] = field(default_factory=dict)  # key -> path of a list of scalars
    children: dict[str, Node] = field(default_factory=dict)

    @cached_property  # asked for with every record and every block; the tree is whole by then
    def places(self) -> dict[str, str]:
        """Every key of the object that leads anywhere, and the path that it stands at."""
        return {**self.leaves, **self.lists, **{key: child.path for key, child in self.children.items()}}

    @cached_property
    def paths(self) -> list[str]:
        """Every path below this node, in a stable order."""
        own = [*self.leaves.values(), *self.lists.values()]
        return own + [path for child in self.children.values() for path in child.paths]


def path_tree(paths: Iterable[str], details: Iterable[str] = (), bodies: Iterable[str] = ()) -> Node:
    """The tree of `paths`, of which `details` hold details of a usage, and `bodies` are the places that may hold no object. Raises
    ValueError where one path is both a value and an object."""
    return _tree(tuple(sorted(set(paths))), frozenset(details), frozenset(filter(None, bodies)))


@lru_cache(maxsize=256)
def _tree(paths: tuple[str, ...], details: frozenset[str], bodies: frozenset[str]) -> Node:
    root = Node()
    for path in paths:
        *parents, last = path.removesuffix(LIST_MARK).split("/")
        node = root
        for parent in parents:
            prefix = f"{node.path}/{parent}" if node.path else parent
            node = node.children.setdefault(parent, Node(prefix))
        (node.lists if path.endswith(LIST_MARK) else node.leaves)[last] = path
    _refuse_ambiguous(root)
    _mark(root, details, bodies)
    return root


def _mark(node: Node, details: frozenset[str], bodies: frozenset[str]) -> None:
    node.details = {path for path in node.leaves.values() if path in details}
    for child in node.children.values():
        _mark(child, details, bodies)
        if child.path in bodies:
            node.bodies.add(child.path)
        if details.issuperset(child.paths):
            node.details.add(child.path)


def _refuse_ambiguous(node: Node) -> None:
    keys = [*node.leaves, *node.lists, *node.children]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(
            f"field {node.path + '/' if node.path else ''}{twice[0]} is named both as a value and as an object"
        )
    for child in node.children.values():
        _refuse_ambiguous(child)
