"""Work of known size put into portions of like size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def packed(sized: Iterable[tuple[T, int]], most: int) -> list[list[T]]:
    """The items in their order, in portions that hold at most `most` together; an item that is larger stands alone."""
    portions: list[list[T]] = []
    room = 0
    for item, size in sized:
        if not portions or size > room:
            portions.append([])
            room = most
        portions[-1].append(item)
        room -= size
    return portions
