"""How likely texts are, token by token: the figures are the API's, and two texts stand in line."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import Visit, figure, link, rows, visiting

FIRST, SECOND = "今天我去公园散步。", "今天我公园吃饭。"
TOKENS = ["今天", "我", "去", "公园", "散步", "。"], ["今天", "我", "公园", "吃饭", "。"]
PAIRS = [(0, 0), (1, 1), (2, None), (3, 2), (4, 3), (5, 4)]
"""Places of the two texts that belong together."""


def scored(visit: Visit) -> list[dict[str, Any]]:
    """What the API says of the texts of the link, which are scored at once."""
    visit.page.wait_for_selector(".results[data-status=done]")
    scores: list[dict[str, Any]] = visit.answer("/v1/score")["scores"]
    assert tuple(each["tokens"] for each in scores) == TOKENS
    return scores


def close(value: float, digits: int = 3) -> Any:
    """A figure to so many digits after the point."""
    return pytest.approx(value, abs=0.51 * 10**-digits)


def test_figures_are_those_of_the_api(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("score", {"texts": [FIRST, SECOND]})) as visit:
        page, scores = visit.page, scored(visit)
        for place, score in enumerate(scores):
            name, log_prob, mean, perplexity, tokens, mask = rows(page.get_by_role("table", name="Totals"))[place]
            assert (name, tokens, mask) == (score["text"], str(len(score["tokens"])), score["vocabulary"])
            assert figure(log_prob) == close(score["log_prob"]) and figure(mean) == close(score["log_prob_per_token"])
            assert figure(perplexity) == pytest.approx(2.718281828 ** -score["log_prob_per_token"], rel=1e-3)
            cells = page.locator(f'.heat [data-text="{place}"]')
            for cell, token, log_prob in zip(cells.all(), score["tokens"], score["log_probs"], strict=True):
                assert cell.inner_text().split() == [token, cell.locator("small").inner_text()]
                assert figure(cell.locator("small").inner_text()) == close(log_prob, 2)
        difference = abs(scores[0]["log_prob"] - scores[1]["log_prob"])
        likelier = "first" if scores[0]["log_prob"] > scores[1]["log_prob"] else "second"
        verdict = page.inner_text("[data-verdict]")
        assert verdict.startswith(f"The {likelier} is") and f"{round(difference, 2):g} nats" in verdict
        visit.assert_for_everyone()


def test_two_texts_stand_in_line(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("score", {"texts": [FIRST, SECOND]})) as visit:
        scores = scored(visit)
        columns = visit.page.locator(".heat li")
        expect(columns).to_have_count(len(PAIRS))
        for (one, other), column in zip(PAIRS, columns.all(), strict=True):
            tokens = [cell.inner_text().split()[0] for cell in column.locator("button, .gap").all()]
            assert tokens == [TOKENS[0][one], "–" if other is None else TOKENS[1][other]]
            difference = column.locator("> small").inner_text()
            if other is None or TOKENS[0][one] != TOKENS[1][other]:
                assert difference == "≠"
            else:
                assert figure(difference) == close(scores[1]["log_probs"][other] - scores[0]["log_probs"][one], 2)


def test_tokens_are_gone_through_by_keyboard(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("score", {"texts": [FIRST, SECOND]})) as visit:
        page, scores = visit.page, scored(visit)

        def chosen(text: int, place: int) -> None:
            expect(page.locator(f'.heat [data-text="{text}"]').nth(place)).to_be_focused()
            details = page.locator("[data-details]")
            expect(details.locator("h3")).to_have_text(f"{place + 1} · {TOKENS[text][place]}")
            score = scores[text]
            assert f"rank {score['ranks'][place]:,} in" in details.inner_text()
            for row, likely in zip(rows(details), score["top"][place], strict=True):
                assert figure(row[2]) == close(likely["log_prob"])
                assert (row[4] == "✓") == (likely["token"] == TOKENS[text][place])

        page.locator('.heat [data-text="0"]').first.focus()
        chosen(0, 0)
        for key, text, place in [
            ("ArrowRight", 0, 1),
            ("ArrowRight", 0, 2),
            ("ArrowDown", 0, 2),  # the other text has nothing there
            ("ArrowRight", 0, 3),
            ("ArrowDown", 1, 2),
            ("ArrowRight", 1, 3),
            ("ArrowUp", 0, 4),
            ("ArrowLeft", 0, 3),
        ]:
            page.keyboard.press(key)
            chosen(text, place)


def test_all_figures_as_a_table(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("score", {"texts": [FIRST, SECOND]})) as visit:
        page, scores = visit.page, scored(visit)
        page.get_by_role("button", name="table").click()
        for score in scores:
            table = rows(page.get_by_role("table", name=score["text"]))
            for place, (token, log_prob, rank, entropy, likeliest) in enumerate(table):
                assert token == score["tokens"][place] and figure(rank) == score["ranks"][place]
                assert figure(log_prob) == close(score["log_probs"][place])
                assert figure(entropy) == close(score["entropies"][place])
                assert likeliest == (score["top"][place][0]["token"].replace(" ", "␣").replace("\n", "⏎") or "∅")
            assert len(table) == len(score["tokens"])
        visit.assert_for_everyone()


def test_a_fault_stands_at_its_text(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("score", {"texts": [FIRST, "今天\u0001"]})) as visit:
        visit.expected.append("422")
        field = visit.page.locator(".field", has_text="Another, to compare")
        expect(field.locator(".fault")).to_contain_text("control character")
