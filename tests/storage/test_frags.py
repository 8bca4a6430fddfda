"""The packed fragment list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storage import frags
from storage.model import Fragment

fragments = st.lists(
    st.builds(
        Fragment,
        offset=st.just(0),
        size_bytes=st.integers(0, frags.MAX_SIZE_BYTES),
        dur_ms=st.integers(0, frags.MAX_DUR_MS),
        keyframe=st.booleans(),
        activity=st.integers(0, 127),
    )
)


@given(fragments, st.integers(0, 1 << 40))
def test_what_is_packed_comes_back_with_its_offsets(made: list[Fragment], first_offset: int) -> None:
    packed = frags.pack(made)
    assert packed is not None
    assert frags.count(packed) == len(made)
    back = list(frags.unpack(packed, first_offset))
    offset = first_offset
    for before, after in zip(made, back, strict=True):
        assert after == Fragment(offset, before.size_bytes, before.dur_ms, before.keyframe, before.activity)
        offset += before.size_bytes
    assert frags.total_ms(packed) == sum(f.dur_ms for f in made)
    assert frags.total_bytes(packed) == sum(f.size_bytes for f in made)


@given(fragments)
def test_the_raw_words_are_the_same_values(made: list[Fragment]) -> None:
    packed = frags.pack(made) or b""
    words = [
        (ms, word & frags.MAX_SIZE_BYTES, bool(word >> 24 & 1), word >> 25) for ms, word in frags.unpack_raw(packed)
    ]
    assert words == [(f.dur_ms, f.size_bytes, f.keyframe, f.activity) for f in made]


def test_what_does_not_fit_is_refused() -> None:
    assert frags.pack([Fragment(0, frags.MAX_SIZE_BYTES + 1, 2000, True)]) is None
    assert frags.pack([Fragment(0, 1, frags.MAX_DUR_MS + 1, True)]) is None
    assert frags.pack([Fragment(0, 1, -1, True)]) is None
    assert frags.pack([]) == b""
