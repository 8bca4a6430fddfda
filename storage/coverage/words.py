"""Words that people type, against words that people registered: Hindi and English, whatever keyboard they came from. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

MAX_WORDS: Final = 8
"""A search looks at this many words; more are ignored."""
# Joiners change how Devanagari is drawn and not what it says; its digits say the same as 0 to 9.
_SAME: Final = {0x200C: None, 0x200D: None} | {0x0966 + digit: str(digit) for digit in range(10)}


def folded(text: str) -> str:
    """So that texts that say the same are equal: NFC (a letter with its nukta is written in two ways), without case."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold().translate(_SAME))


def words(text: str) -> tuple[str, ...]:
    """Folded, as `holds` wants them."""
    return tuple(folded(text).split()[:MAX_WORDS])


def holds(texts: Iterable[str], wanted: tuple[str, ...]) -> bool:
    """Each word occurs in one of the texts."""
    if not wanted:
        return True
    text = folded("\n".join(texts))
    return all(word in text for word in wanted)
