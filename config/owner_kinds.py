"""Kinds of camera owners: the 17 that a city begins with, and those that `registry.owner_kinds` adds. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from config.errors import Invalid


class OwnerKind(NamedTuple):
    key: str
    name: str
    name_hi: str


BUILT_IN: Final = (
    OwnerKind("shop", "Shops, commercial establishments", "दुकान / व्यापारिक प्रतिष्ठान"),
    OwnerKind("school", "Schools, colleges, coaching", "स्कूल / कॉलेज / कोचिंग"),
    OwnerKind("smart_city", "Kanpur Smart City Ltd", "कानपुर स्मार्ट सिटी लि."),
    OwnerKind("municipal", "Municipal Corporation", "नगर निगम"),
    OwnerKind("hospital", "Hospitals", "अस्पताल"),
    OwnerKind("petrol_pump", "Petrol pumps", "पेट्रोल पंप"),
    OwnerKind("automobile", "Automobile dealers", "ऑटोमोबाइल"),
    OwnerKind("kda", "Kanpur Development Authority", "केडीए"),
    OwnerKind("nhai", "National Highways Authority", "एनएचएआई"),
    OwnerKind("lab", "Laboratories", "लैब"),
    OwnerKind("police_post", "Police posts", "पुलिस चौकी"),
    OwnerKind("industry", "Industries, industrial areas", "उद्योग / औद्योगिक क्षेत्र"),
    OwnerKind("bank_atm", "Banks and ATMs", "बैंक एवं एटीएम"),
    OwnerKind("bus_stand", "UPSRTC bus stand", "यूपीएसआरटीसी बस स्टेण्ड"),
    OwnerKind("hotel", "Hotels", "होटल"),
    OwnerKind("medical_store", "Medical stores", "मेडिकल स्टोर"),
    OwnerKind("liquor_shop", "Liquor shops", "मदिरा की दुकान"),
)
_KEY = re.compile(r"[a-z][a-z0-9_]{0,31}")


def parse(text: str) -> OwnerKind:
    """One entry of `registry.owner_kinds`: "metro: Metro rail | मेट्रो रेल". Raises ValueError."""
    key, colon, names = (part.strip() for part in text.partition(":"))
    name, _, name_hi = (part.strip() for part in names.partition("|"))
    if not colon or not _KEY.fullmatch(key) or not name:
        raise ValueError(f'{text!r} is no kind of owner: write it as "metro: Metro rail | मेट्रो रेल"')
    return OwnerKind(key, name, name_hi or name)


def all_kinds(added: Iterable[str]) -> dict[str, OwnerKind]:
    """By key, the built-in ones first. One that is added again replaces its names."""
    return {kind.key: kind for kind in (*BUILT_IN, *map(parse, added))}


def known_kind(key: str, kinds: Mapping[str, OwnerKind]) -> str:
    """The key as it is; "" is none. Raises Invalid, naming the nearest, for one that is not among the `kinds`."""
    if not key or key in kinds:
        return key
    by_word = {word.lower(): kind.key for kind in kinds.values() for word in (kind.key, kind.name, kind.name_hi)}
    near = get_close_matches(key.lower(), by_word, 1, 0.5)
    way_out = f"did you mean {by_word[near[0]]}?" if near else f"known are {', '.join(kinds)}"
    raise Invalid(f"owner_kind {key[:40]!r} is none of the kinds of owners: {way_out}", field="owner_kind")
