"""The mathematics of constrained sampling: NumPy only, no torch, no web, no weights.

A *state* is a sentence with frozen keyword blocks, a *target* an unnormalised
log-density over states, a *move* a proposal with its log q ratio, a *kernel* a mix
of moves with an acceptance rule, and a *run* drives many chains at once against any
:class:`~samplers.language.LanguageModel`.
"""
