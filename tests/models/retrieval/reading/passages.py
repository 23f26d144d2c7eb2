"""Passages as people write, paste and mistype them."""

from __future__ import annotations

from hypothesis import strategies as st

PARTS = [
    *(
        "法国的货币是欧元",
        "日本",
        "今天我们去公园散步",
        "。",
        "，",
        "（又称",
        "）",
        "《",
        "》",
        "！",
        "\n",
        "\r\n",
        "　",
        "５Ｇ",
    ),
    *("The dog", " ran", " in the park", ". ", ", ", " (New York)", "Côte d’Ivoire", "U.S.", " 3.5%", "-", '"', "“Hi”"),
    *(
        "🇫🇷",
        "👨\u200d👩\u200d👧",
        "cafe\u0301",
        "\u200b",
        "\u0301",
        "🙂",
        "ไทย",
        "café",
        " ",
        "«",
        "»",
        "US$",
        "7 a.m.",
    ),
]
PASSAGES = st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=3)), min_size=1, max_size=8).map("".join)
"""Chinese, English, emoji and what else there is, in any order."""
