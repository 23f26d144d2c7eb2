"""The demo knowledge graph."""

from __future__ import annotations

from models.retrieval.demo import demo_triples


def test_facts_are_there_in_both_languages() -> None:
    facts = set(demo_triples())
    assert {
        ("法国", "货币", "欧元"),
        ("France", "currency", "Euro"),
        ("日本", "代码", "JP"),
        ("Japan", "flag", "🇯🇵"),
        ("瑞士", "官方语言", "德语"),
        ("Russian", "script", "Cyrillic"),
        ("欧元", "符号", "€"),
        ("German", "own name", "Deutsch"),
        ("日元", "使用地区", "日本"),
    } <= facts
    assert len(facts) > 8000


def test_no_fact_is_empty_or_said_twice() -> None:
    triples = list(demo_triples())
    assert len(triples) == len(set(triples))
    assert all(part.strip() == part != "" and "\t" not in part for triple in triples for part in triple)


def test_former_currencies_and_groupings_are_left_out() -> None:
    triples = set(demo_triples())
    assert ("France", "currency", "French Franc") not in triples
    assert not any(subject in ("European Union", "欧盟") for subject, *_ in triples)
