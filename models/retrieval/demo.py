"""A small knowledge graph that any machine can make: territories, languages, scripts and currencies.

The facts are those of the Unicode Common Locale Data Repository (CLDR) as Babel brings them, in
Chinese and in English. Nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.languages import get_official_languages, get_territory_language_info
from babel.numbers import get_currency_symbol, get_territory_currencies


class Triple(NamedTuple):
    """One fact."""

    subject: str
    predicate: str
    object: str


_LANGUAGES = ("zh", "en")
_PREDICATES = {
    "other_name": ("英文名", "Chinese name"),
    "code": ("代码", "code"),
    "flag": ("国旗", "flag"),
    "currency": ("货币", "currency"),
    "official": ("官方语言", "official language"),
    "main": ("主要语言", "main language"),
    "zone": ("时区", "time zone"),
    "script": ("文字", "script"),
    "own_name": ("自称", "own name"),
    "symbol": ("符号", "symbol"),
    "used_in": ("使用地区", "used in"),
    "languages": ("使用的语言", "languages"),
}
"""Names of the predicates in each language."""

_Words = Mapping[str, str]

_NOT_PLACES = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})
"""Groupings and pseudo regions among CLDR's two-letter territories."""


def demo_triples() -> Iterator[Triple]:
    """All facts, first in Chinese, then in English; some thousand, in a fixed order for one Babel."""
    for at, language in enumerate(_LANGUAGES):
        here, there = Locale(language), Locale(_LANGUAGES[1 - at])
        words = {name: each[at] for name, each in _PREDICATES.items()}
        yield from _territories(here, there, words)
        yield from _languages(here, there, words)
        yield from _scripts(here, there, words)
        yield from _currencies(here, there, words)


def _places(*locales: Locale) -> list[str]:
    """Codes of the territories that all the locales name."""
    named = set.intersection(*(set(locale.territories) for locale in locales))
    return sorted(code for code in named if len(code) == 2 and code not in _NOT_PLACES)


def _territories(here: Locale, there: Locale, words: _Words) -> Iterator[Triple]:
    zones = get_global("territory_zones")
    for code in _places(here, there):
        name = here.territories[code]
        yield Triple(name, words["other_name"], there.territories[code])
        yield Triple(name, words["code"], code)
        yield Triple(name, words["flag"], "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in code))
        for currency in get_territory_currencies(code):
            if currency in here.currencies:
                yield Triple(name, words["currency"], here.currencies[currency])
        for language in get_official_languages(code):
            if language in here.languages:
                yield Triple(name, words["official"], here.languages[language])
        spoken = get_territory_language_info(code)
        if spoken:
            most = max(spoken, key=lambda language: spoken[language]["population_percent"])
            if most in here.languages:
                yield Triple(name, words["main"], here.languages[most])
        for zone in zones.get(code, ()):
            yield Triple(name, words["zone"], zone)


def _languages(here: Locale, there: Locale, words: _Words) -> Iterator[Triple]:
    places = {code: get_official_languages(code) for code in _places(here)}
    for code in sorted(set(here.languages) & set(there.languages)):
        if "_" in code:
            continue
        name = here.languages[code]
        yield Triple(name, words["other_name"], there.languages[code])
        yield Triple(name, words["code"], code)
        if (script := _script(code)) in here.scripts:
            yield Triple(name, words["script"], here.scripts[script])
        if (own := _own_name(code)) is not None:
            yield Triple(name, words["own_name"], own)
        for place, official in places.items():
            if code in official:
                yield Triple(name, words["used_in"], here.territories[place])


def _scripts(here: Locale, there: Locale, words: _Words) -> Iterator[Triple]:
    written: dict[str, list[str]] = {}
    for language in sorted(here.languages):
        if "_" not in language and (script := _script(language)) is not None:
            written.setdefault(script, []).append(here.languages[language])
    for code in sorted(set(here.scripts) & set(there.scripts)):
        name = here.scripts[code]
        yield Triple(name, words["other_name"], there.scripts[code])
        yield Triple(name, words["code"], code)
        if len(written.get(code, ())) <= 20:
            for language in written.get(code, ()):
                yield Triple(name, words["languages"], language)


def _currencies(here: Locale, there: Locale, words: _Words) -> Iterator[Triple]:
    used: dict[str, list[str]] = {}
    for place in _places(here):
        for code in get_territory_currencies(place):
            used.setdefault(code, []).append(here.territories[place])
    for code in sorted(set(here.currencies) & set(there.currencies) & set(used)):
        name = here.currencies[code]
        yield Triple(name, words["other_name"], there.currencies[code])
        yield Triple(name, words["code"], code)
        symbol = get_currency_symbol(code, here)
        if symbol != code:
            yield Triple(name, words["symbol"], symbol)
        for place in used[code]:
            yield Triple(name, words["used_in"], place)


def _script(language: str) -> str | None:
    """ISO 15924 code of the script that a language is likeliest written in (CLDR likely subtags)."""
    likely: str | None = get_global("likely_subtags").get(language)
    return likely.split("_")[1] if likely else None


def _own_name(language: str) -> str | None:
    """The language's name in itself, where Babel has the locale."""
    try:
        name: str | None = Locale(language).languages.get(language)
    except UnknownLocaleError:
        return None
    return name
