"""Questions in other words, made of heads that ask the same and of what they ask about.

Written for the training of the paraphrases' adapter: Tatoeba has few questions of the kind that people ask strangers.
What is asked about was made up, and taken from infinitives of Tatoeba's sentences.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lemminflect import getInflection, getLemma

DO = tuple(
    """
learn a foreign language in a few months|lose weight without going to a gym|improve my pronunciation|become a pilot
start a blog about travel|prepare for a job interview at a bank|get a visa for Japan|recover photos from my phone
learn to play the violin at 40|stop thinking about my ex|make new friends in a big city|earn money while studying
invest a small amount of money every month|get rid of dark circles under my eyes|speed up an old computer
write a good research paper|get over a breakup|quit smoking for good|sell handmade jewellery on the internet
sleep better at night|reduce my electricity bill|get into a good university abroad|publish a novel|get a mortgage
remove a stain from a white shirt|overcome my fear of flying|get more visitors on my website|control my anger
gain muscle as a vegetarian|buy a used car|become more confident when talking to strangers|choose a career
train my dog to walk on a leash|learn machine learning from scratch|concentrate on my studies|find a mentor
move to Australia as a nurse|cook rice without a rice cooker|delete my account on a social network|run a marathon
check the balance of my bank account online|build a mobile app without coding|improve my memory before exams
pass a driving test|find the owner of a phone number|wake up early every day|download music from the internet
get a scholarship for a master's degree|start a small business with little money|clear my skin naturally
impress a girl I like|save money on groceries|unlock a phone without the code|make my hair grow faster|join the army
get investors for a company|learn to draw faces|watch football matches for free|change my name on my passport
apply for a credit card|transfer money abroad|fix a computer that does not start|know if he loves me|be happy alone
convert a PDF file to a Word document|prepare for the civil service exam|read more books|manage my time better
grow roses in a pot|travel around Europe on a budget|teach children to code|open a restaurant|get a refund
deal with a difficult boss|remove scratches from a car|reset a forgotten password|live without sugar|stay motivated
learn chess openings|hide my number when I call someone|block ads on my phone|lower my blood pressure|treat a cold
solve a cubic equation|get a job in a foreign company|write a letter of complaint|make coffee taste less bitter
avoid mistakes in an exam|improve my communication skills|whiten my teeth|learn to sing|contact customer support
rent a flat in Berlin|become a good speaker|find cheap flights|learn a programming language|forget someone I love
    """.strip()
    .replace("\n", "|")
    .split("|")
)
"""What is done."""
BEST = tuple(
    """
laptops for students|books on world history|phones for taking pictures|colleges for engineering|ways of saving tax
places to visit in Italy|movies of all time|series to watch this year|websites for learning mathematics|card games
restaurants in Chennai|cars for a family of five|exercises for back pain|jobs for shy people|podcasts about science
apps for learning English|countries to live in|hotels near the airport|universities in Germany|investment options
gifts for a friend's wedding|songs of the eighties|headphones under 50 dollars|programming languages for beginners
games for children|cities for a holiday in winter|tourist attractions in Peru|companies to work for|summer jobs
recipes with chicken|phones under 200 euros|cameras for beginners|strategies for selling online|mystery novels
novels by Russian writers|mattresses for a bad back|online courses on finance|breakfasts before a run|science museums
    """.strip()
    .replace("\n", "|")
    .split("|")
)
"""What is good of its kind, in the plural."""
TOPICS = tuple(
    """
artificial intelligence|the theory of evolution|a current account|the stock market|inflation|nuclear energy|yoga
meditation|a gluten-free diet|cloud computing|the French revolution|electric cars|climate change|the death penalty
arranged marriage|a solar panel|the human brain|a vaccine|digital marketing|machine learning|social media|dark matter
globalisation|the European Union|an MBA|green tea|black coffee|the new tax law|a blockchain|organic food|democracy
home schooling|a search engine|the caste system|body language|the immune system|a credit score|photosynthesis
intermittent fasting|a virtual machine|an electric guitar|online education|a balanced diet|free speech|a heat pump
the decision of the president to raise taxes|the ban on plastic bags|a world without borders|a second language
    """.strip()
    .replace("\n", "|")
    .split("|")
)
"""What is asked about."""
APART = tuple(
    """
a virus/bacteria|a lawyer/a solicitor|coffee/espresso|weather/climate|Python/Java|a manager/a leader|jam/marmalade
civil engineering/architecture|socialism/communism|a crocodile/an alligator|psychology/psychiatry|love/affection
speed/velocity|a college/a university|an iPhone/an Android phone|a debit card/a credit card|a turtle/a tortoise
baking powder/baking soda|machine learning/statistics|gross income/net income|a petrol car/a diesel car|fog/mist
Norway/Sweden|marketing/advertising|yoga/pilates|an ape/a monkey|a hurricane/a tornado|law/justice|RAM/ROM
    """.strip()
    .replace("\n", "|")
    .split("|")
)
"""What may be taken for each other."""
PEOPLE = tuple(
    """
like horror movies|put things off|get tattoos|lie about their age|hate Mondays|buy expensive phones|still smoke
believe in ghosts|drink coffee in the morning|move to big cities|stay in unhappy relationships|want to be famous
fear public speaking|take so many pictures of themselves|read the news every day|talk to their dogs|collect stamps
    """.strip()
    .replace("\n", "|")
    .split("|")
)
"""What people do."""
IF = tuple(
    """
people could read each other's minds|the moon disappeared|everyone spoke the same language|you drink salt water
the internet stopped working for a day|I do not pay my taxes|a country prints more money|you eat too much sugar
the sun went out|robots took all our jobs|we run out of oil|I stop eating meat|nobody told a lie any more
    """.strip()
    .replace("\n", "|")
    .split("|")
)
"""What may be."""


@dataclass(frozen=True, slots=True)
class Family:
    """Heads that ask the same.

    Attributes:
        share: of the questions.
        heads: with {} for what is asked about, {a} and {b} for two things, {one} and {many} for a kind in the singular
            and in the plural.
        about: what is asked about.
    """

    share: float
    heads: Sequence[str]
    about: Sequence[str]


FAMILIES = (
    Family(
        30,
        (
            *("How can I {}?", "How do I {}?", "How do you {}?", "How should I {}?", "How can you {}?"),
            *("How can one {}?", "What is the best way to {}?", "What are some ways to {}?"),
            *("What are the best ways to {}?", "What should I do to {}?", "What can I do to {}?"),
            *("How could I {}?", "What is a good way to {}?", "How does someone {}?"),
        ),
        DO,
    ),
    Family(
        8,
        (
            *("Is it possible to {}?", "Can I {}?", "Is there any way to {}?", "Is there a way to {}?"),
            *("Can you {}?", "Is it possible for me to {}?", "Would it be possible to {}?"),
        ),
        DO,
    ),
    Family(
        5,
        (
            *("How long does it take to {}?", "How much time does it take to {}?"),
            *("How long will it take to {}?", "How long would it take me to {}?"),
        ),
        DO,
    ),
    Family(
        8,
        (
            *("Should I {}?", "Is it a good idea to {}?", "Is it worth it to {}?", "Should you {}?"),
            *("Would it be wise to {}?", "Is it okay to {}?"),
        ),
        DO,
    ),
    Family(
        4,
        (
            "When is the best time to {}?",
            "What is the best time to {}?",
            "When should I {}?",
            "What is a good time to {}?",
        ),
        DO,
    ),
    Family(
        16,
        (
            *("What are the best {many}?", "What is the best {one}?", "What are some good {many}?"),
            *("Which is the best {one}?", "Which are the best {many}?", "What are some of the best {many}?"),
            *("What are some great {many}?", "Which {many} are the best?"),
        ),
        BEST,
    ),
    Family(
        5,
        (
            *("What is your favorite {one}?", "What are your favorite {many}?", "Which {one} do you like best?"),
            *(
                "Which is your favorite {one}?",
                "What {one} do you like the most?",
                "What is your all-time favorite {one}?",
            ),
        ),
        BEST,
    ),
    Family(
        7,
        (
            *("What do you think about {}?", "What is your opinion on {}?", "What are your views on {}?"),
            *("What do you think of {}?", "How do you feel about {}?", "What are your thoughts on {}?"),
        ),
        TOPICS,
    ),
    Family(
        6,
        (
            *("What are the benefits of {}?", "What are the advantages of {}?", "What is the benefit of {}?"),
            *("What are some benefits of {}?", "What are the pros of {}?"),
        ),
        TOPICS,
    ),
    Family(
        5,
        (
            *("What are the disadvantages of {}?", "What are the drawbacks of {}?"),
            *("What are the negative effects of {}?", "What are some disadvantages of {}?"),
        ),
        TOPICS,
    ),
    Family(
        6,
        (
            *("What is the importance of {}?", "Why is {} important?", "Why is {} so important?"),
            *("What makes {} important?", "How important is {}?"),
        ),
        TOPICS,
    ),
    Family(
        6,
        ("How does {} work?", "Can you explain how {} works?", "How exactly does {} work?", "How do you explain {}?"),
        TOPICS,
    ),
    Family(
        5,
        (
            "What is the meaning of {}?",
            "What does {} mean?",
            "What is meant by {}?",
            "What exactly is {}?",
            "What is {}?",
        ),
        TOPICS,
    ),
    Family(
        9,
        (
            *("What is the difference between {a} and {b}?", "What are the differences between {a} and {b}?"),
            *("How is {a} different from {b}?", "How does {a} differ from {b}?"),
            *("What is the difference between {b} and {a}?", "What is the main difference between {a} and {b}?"),
        ),
        APART,
    ),
    Family(
        5,
        ("Which is better, {a} or {b}?", "Is {a} better than {b}?", "Which one is better: {a} or {b}?"),
        APART,
    ),
    Family(
        6,
        (
            *("Why do people {}?", "Why do so many people {}?", "Why do some people {}?"),
            *("What makes people {}?", "Why would people {}?", "Why do many people {}?"),
        ),
        PEOPLE,
    ),
    Family(
        4,
        ("What would happen if {}?", "What will happen if {}?", "What happens if {}?", "What happens when {}?"),
        IF,
    ),
)
"""All of them."""
_HEAD = re.compile(r".+?(?= (?:for|on|to|in|of|about|near|under|by|with|before)\b|$)")
_INFINITIVE = re.compile(
    r"\b(?:want|need|like|try|hope|going|able|decided|learn|how|plan) to ([a-z]+(?: [a-z']+){1,7})[.?!]$"
)
_POINTS = re.compile(r"\b(?:he|she|him|her|his|they|them|there|here|that|this|it|be|see)\b")
_PERSON = ({"my": "your", "me": "you", "I": "you"}, {"your": "my", "yourself": "myself"})


def infinitives(sentences: Iterable[str]) -> list[str]:
    """What is done in some English sentences: the infinitives that point at nothing before them."""
    found = (match[1] for sentence in sentences if (match := _INFINITIVE.search(sentence)))
    return sorted({infinitive for infinitive in found if not _POINTS.search(infinitive)})


def asked_twice(rng: random.Random, done: Sequence[str]) -> tuple[str, str]:
    """Two questions that ask the same.

    Args:
        rng: draws them.
        done: what is done, beside :data:`DO`.
    """
    (family,) = rng.choices(FAMILIES, [family.share for family in FAMILIES])
    about = rng.choice((*family.about, *done) if family.about is DO else family.about)
    one, other = rng.sample(family.heads, 2)
    return _asked(one, about, rng), _asked(other, about, rng)


def _asked(head: str, about: str, rng: random.Random) -> str:
    a, _, b = about.partition("/")
    singular = _HEAD.sub(lambda kind: _in_the_singular(kind[0]), about, count=1)
    question = head.format(about, a=a, b=b, one=singular, many=about)
    if rng.random() < 0.7:
        return question
    persons = rng.choice(_PERSON)
    return question[0] + re.sub(r"\b[A-Za-z]+\b", lambda word: persons.get(word[0], word[0]), question[1:])


def _in_the_singular(kind: str) -> str:
    *before, noun = kind.split()
    lemma = (getLemma(noun, "NOUN") or (noun,))[0]
    return " ".join([*before, (getInflection(lemma, "NN") or (lemma,))[0]])
