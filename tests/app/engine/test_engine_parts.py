"""Features keep their own state over the engine without its knowing them."""

from __future__ import annotations

from typing import cast

from app.engine.admission import Admission
from app.engine.engine import Engine
from app.settings.settings import Settings
from models.language.scoring.batcher import Batcher
from models.language.scoring.model import LoadedModel


class Part:
    closed: list[Part]

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.closed = []

    def close(self) -> None:
        self.closed.append(self)


def make_engine() -> Engine:
    return Engine(Settings(), cast(LoadedModel, None), cast(Batcher, None), Admission(1, 0))


def test_a_part_is_made_once_for_each_engine_and_closed_with_it() -> None:
    engine, other = make_engine(), make_engine()
    part = engine.part(Part)
    assert engine.part(Part) is part and part.engine is engine
    assert other.part(Part) is not part
    engine.close()
    assert part.closed == [part]
    engine.close()
    assert part.closed == [part] and other.part(Part).closed == []


def test_parts_are_closed_in_the_reverse_order_and_may_lack_a_close() -> None:
    engine = make_engine()
    order: list[str] = []

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def close(self) -> None:
            order.append(self.name)

    def first(engine: Engine) -> Named:
        return Named("first")

    def second(engine: Engine) -> Named:
        assert engine.part(first).name == "first"
        return Named("second")

    def plain(engine: Engine) -> int:
        return 3

    assert engine.part(second).name == "second" and engine.part(plain) == 3
    engine.close()
    assert order == ["second", "first"]
