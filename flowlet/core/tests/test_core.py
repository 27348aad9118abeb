"""Ids, registry, key rings, strict JSON."""

import base64
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlet.core import crypto, jsons
from flowlet.core.errors import InvariantBroken
from flowlet.core.ids import is_id, new_id
from flowlet.core.registry import Registry, UnknownEntry

OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (7, 8))


def test_ids_sort_by_their_making_and_never_repeat_over_threads():
    made: list[list[str]] = [[] for _ in range(8)]

    def make(mine: list[str]) -> None:
        mine.extend(new_id("pay") for _ in range(2000))

    threads = [threading.Thread(target=make, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    everything = [one for mine in made for one in mine]
    assert len(set(everything)) == len(everything)
    assert all(mine == sorted(mine) for mine in made)
    assert all(is_id(one, "pay") for one in everything)


@pytest.mark.parametrize("text", ["pay_", "pay", "wal_" + "0" * 26, "pay_" + "0" * 25, "pay_" + "O" * 26, ""])
def test_what_is_no_id_of_the_kind_is_seen(text):
    assert not is_id(text, "pay")


def test_a_registry_gives_entries_in_order_and_refuses_a_second_owner():
    registry: Registry[int] = Registry("numbers")
    registry.register("two")(2)
    registry.register("one")(1)

    assert list(registry) == ["one", "two"]
    assert registry.values() == [1, 2]
    with pytest.raises(ValueError, match="already"):
        registry.register("one")(3)
    with pytest.raises(UnknownEntry):
        registry.get("three")


@pytest.mark.parametrize(
    "text", ["", "x", "1", "0:" + OLD, "70000:" + OLD, f"1:{OLD},1:{NEW}", "1:c2hvcnQ=", "1:***"]
)
def test_a_malformed_key_ring_is_refused_without_showing_keys(text):
    with pytest.raises(crypto.BadKeyRing) as refusal:
        crypto.KeyRing.parse(text)

    assert OLD not in str(refusal.value)


def test_a_rotated_ring_opens_old_values_and_seals_with_the_newest_key():
    old, both = crypto.KeyRing.parse(f"1:{OLD}"), crypto.KeyRing.parse(f"2:{NEW},1:{OLD}")
    blob = crypto.seal(b"secret", place="t.c.1", keys=old)

    assert crypto.unseal(blob, place="t.c.1", keys=both) == b"secret"
    assert crypto.key_id_of(crypto.seal(b"secret", place="t.c.1", keys=both)) == 2


@pytest.mark.parametrize("harm", ["place", "bit", "cut", "key", "version"])
def test_a_value_that_was_moved_changed_or_cut_does_not_open(harm):
    keys = crypto.KeyRing.parse(f"1:{OLD}")
    blob, place = crypto.seal(b"secret", place="t.c.1", keys=keys), "t.c.1"
    if harm == "place":
        place = "t.c.2"
    elif harm == "bit":
        blob = blob[:-1] + bytes([blob[-1] ^ 1])
    elif harm == "cut":
        blob = blob[:10]
    elif harm == "version":
        blob = b"\x02" + blob[1:]
    else:
        keys = crypto.KeyRing.parse(f"1:{NEW}")

    with pytest.raises(InvariantBroken):
        crypto.unseal(blob, place=place, keys=keys)


def test_a_blind_index_is_stable_per_partner_and_differs_between_partners(settings):
    first = crypto.blind_index("email", 1, "a@b.example")

    assert first == crypto.blind_index("email", 1, "a@b.example")
    assert first != crypto.blind_index("email", 2, "a@b.example")
    assert first != crypto.blind_index("phone", 1, "a@b.example")
    assert first != crypto.blind_index("email", None, "a@b.example")
    settings.INDEX_KEYS = f"2:{NEW},{settings.INDEX_KEYS}"
    assert first in crypto.blind_indexes("email", 1, "a@b.example")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":1e400}',
        b'{"a":Infinity}',
        b'"\\u0000"',
        b'{"\\u0000":1}',
        b'"\\ud800"',
        b"\xff\xfe",
        b"[" * 21 + b"]" * 21,
        b"[" * 100_000,
        b"1" * 5000,
        b"{'a':1}",
        b'{"a":1}x',
    ],
)
def test_json_that_could_be_read_in_two_ways_is_refused(body):
    with pytest.raises(jsons.MalformedJson):
        jsons.loads(body)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text(st.characters(exclude_characters="\0", codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_characters="\0", codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_canonical_json_reads_back_equal(value):
    assert jsons.loads(jsons.dumps_canonical(value)) == value


def test_canonical_json_does_not_depend_on_the_order_of_names():
    assert (
        jsons.dumps_canonical({"b": 1, "a": [2]})
        == jsons.dumps_canonical({"a": [2], "b": 1})
        == b'{"a":[2],"b":1}'
    )
