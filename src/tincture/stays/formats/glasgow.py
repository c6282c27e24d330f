"""The words of the Glasgow Coma Scale, as mimic3-benchmarks spells them, and what they score.

A word scores by the definition of the scale (Teasdale and Jennett 1974, *Assessment of coma and
impaired consciousness*, The Lancet 2), with its number before it or without. A tube in the trachea
allows no verbal response, which that data set scores as none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

EYES = {
    1: ("none", "no response"),
    2: ("to pain",),
    3: ("to speech",),
    4: ("spontaneously",),
}
VERBAL = {
    1: ("none", "no response", "no response-ett", "et/trach"),
    2: ("incomprehensible sounds", "incomp sounds"),
    3: ("inappropriate words", "inapprop words"),
    4: ("confused",),
    5: ("oriented",),
}
MOTOR = {
    1: ("none", "no response"),
    2: ("abnormal extension", "abnorm extensn"),
    3: ("abnormal flexion", "abnorm flexion"),
    4: ("flex-withdraws",),
    5: ("localizes pain",),
    6: ("obeys commands",),
}


def _spellings(scale: Mapping[int, tuple[str, ...]]) -> Iterator[tuple[str, float]]:
    for score, words in scale.items():
        for word in words:
            yield from (
                (f"{begin}{word}", float(score)) for begin in ("", f"{score} ", f"{score}.0 ")
            )


GLASGOW = {
    f"{coma} coma scale {part}": dict(_spellings(scale))
    for coma in ("Glascow", "Glasgow")  # the data set writes the former
    for part, scale in (
        ("eye opening", EYES),
        ("verbal response", VERBAL),
        ("motor response", MOTOR),
    )
}
