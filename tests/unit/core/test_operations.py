"""The names of operations: one for each thing to do, and the same in every version.

They stand in stamps on the desks. A version that names them otherwise would not know again what an
earlier one wrote, and write it once more.
"""

from __future__ import annotations

from itertools import product

from syncd.core.model import CommentId, ConnectionName, Person, Role, Side
from syncd.core.operations import copy_op, create_op, note_op
from syncd.core.person_key import person_key

PAIR = "syncd:acme:T1"
CORA = Person(person_id="77", name="Cora", role=Role.CUSTOMER)
HEROKU, ACME = ConnectionName("heroku"), ConnectionName("acme")


def test_the_names_on_the_desks_are_those_of_every_version() -> None:
    """The first 128 bits of SHA-256 over the parts, with U+001F between them."""
    assert create_op(PAIR, Side.PARTNER) == "8f301b159bd889731b73e69674c9b674"
    assert copy_op(PAIR, Side.PARTNER, CommentId("7")) == "a6f39aaaf52b720ca18927f8a034965d"
    assert note_op(PAIR, Side.PARTNER, "handed:7@partner") == "c4c89782762dd43c7ff0a8983be65784"
    assert person_key(HEROKU, ACME, CORA) == "c559dde5dde861b87d4aa416e2fa728c"


def test_no_two_things_to_do_have_one_name() -> None:
    places = list(product((PAIR, "syncd:acme:T2"), Side))
    names = [create_op(*place) for place in places]
    names += [copy_op(*place, CommentId(source)) for place in places for source in ("7", "8")]
    names += [note_op(*place, key) for place in places for key in ("7", "8")]
    assert len(set(names)) == len(names)


def test_a_person_is_one_account_at_each_partner_whatever_the_name() -> None:
    known = person_key(HEROKU, ACME, CORA)
    renamed = Person(person_id="77", name="Cora B.", role=Role.CUSTOMER)
    other = Person(person_id="78", name="Cora", role=Role.CUSTOMER)
    nobody = Person(person_id="", name="Cora", role=Role.CUSTOMER)
    assert person_key(HEROKU, ACME, renamed) == known
    assert person_key(HEROKU, ACME, nobody) == ""
    others = [
        person_key(HEROKU, ACME, other),
        person_key(HEROKU, ConnectionName("crunchy"), CORA),
        person_key(ConnectionName("shopware"), ACME, CORA),
    ]
    assert len({known, *others}) == 4
