"""Users, groups and brands.

https://developer.zendesk.com/api-reference/ticketing/users/users/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from connectors.sandbox import Call, Reply, Route, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.errors import (
    invalid_field,
    not_found,
)
from connectors.zendesk.sandbox.paging import page_of
from connectors.zendesk.sandbox.records import Json, Named, User
from connectors.zendesk.sandbox.request import named_object, number_in_path
from connectors.zendesk.sandbox.settings import Role
from connectors.zendesk.sandbox.text import as_tag_list
from connectors.zendesk.sandbox.wire import (
    anonymous_json,
    brand_json,
    group_json,
    user_json,
)


class PeopleRoutes:
    """User, group and brand endpoints of one account."""

    def __init__(self, account: Account, who: Callable[[], User | None]) -> None:
        self._account = account
        self._who = who

    def routes(self) -> list[Route]:
        """The vendor's paths."""
        return [
            Route("GET", "/api/v2/users/me", self.me),
            Route("GET", "/api/v2/users/show_many", self.show_many),
            Route("GET", "/api/v2/users/search", self.search),
            Route("POST", "/api/v2/users/create_or_update", self.create_or_update),
            Route("GET", "/api/v2/users", self.index),
            Route("POST", "/api/v2/users", self.create),
            Route("GET", "/api/v2/users/{id}", self.show),
            Route("PUT", "/api/v2/users/{id}", self.update),
            Route("GET", "/api/v2/groups", self.groups),
            Route("GET", "/api/v2/groups/{id}", self.group),
            Route("GET", "/api/v2/brands", self.brands),
            Route("GET", "/api/v2/brands/{id}", self.brand),
        ]

    def me(self, call: Call) -> Reply:
        """The caller; without credentials an anonymous user with a null id, and still 200."""
        user = self._who()
        row = anonymous_json() if user is None else user_json(user, call.base_url)
        return json_reply(200, {"user": row})

    def show(self, call: Call) -> Reply:
        """One user."""
        return json_reply(200, {"user": user_json(self._user(call), call.base_url)})

    def show_many(self, call: Call) -> Reply:
        """Users by `ids` or `external_ids`; those not there are left out."""
        by_id = set((call.value("ids") or "").split(","))
        by_external = set((call.value("external_ids") or "").split(",")) - {""}
        found = [
            user
            for user in self._account.users.values()
            if str(user.id) in by_id or user.external_id in by_external
        ]
        return self._list(call, found)

    def search(self, call: Call) -> Reply:
        """Users by `external_id`, or by a `query` on address or name."""
        if (external_id := call.value("external_id")) is not None:
            known = self._account.user_by_external_id(external_id)
            return self._list(call, [known] if known is not None else [])
        query = (call.value("query") or "").removeprefix("email:").strip('"').lower()
        found = [
            user
            for user in self._account.users.values()
            if query and (query in user.name.lower() or query == (user.email or "").lower())
        ]
        return self._list(call, found)

    def index(self, call: Call) -> Reply:
        """All users, or those of a role."""
        roles = {*call.values("role"), *call.values("role[]")}
        users = self._account.users.values()
        return self._list(call, [u for u in users if not roles or _wire_role(u) in roles])

    def create(self, call: Call) -> Reply:
        """A new user; addresses and external ids are unique."""
        given = named_object(call, "user")
        check_unique(self._account, given)
        return self._answer(call, new_user(self._account, given), 201)

    def create_or_update(self, call: Call) -> Reply:
        """The user of that external id or address, made if missing."""
        given = named_object(call, "user")
        external_id, email = given.get("external_id"), given.get("email")
        user = self._account.user_by_external_id(str(external_id)) if external_id else None
        user = user or self._account.user_by_email(email)
        if user is None:
            return self._answer(call, new_user(self._account, given), 201)
        _change(self._account, user, given)
        return self._answer(call, user, 200)

    def update(self, call: Call) -> Reply:
        """Change name, address, tags, external id, suspension."""
        user, given = self._user(call), named_object(call, "user")
        check_unique(self._account, given, other_than=user)
        _change(self._account, user, given)
        return self._answer(call, user, 200)

    def groups(self, call: Call) -> Reply:
        """All groups."""
        groups = list(self._account.groups.values())
        page = page_of(call, groups, lambda group: group.id)
        return json_reply(
            200, {"groups": [self._group(call, group) for group in page.rows], **page.around}
        )

    def group(self, call: Call) -> Reply:
        """One group."""
        group = self._account.groups.get(number_in_path(call))
        if group is None:
            raise not_found()
        return json_reply(200, {"group": self._group(call, group)})

    def brands(self, call: Call) -> Reply:
        """All brands."""
        page = page_of(call, list(self._account.brands.values()), lambda brand: brand.id)
        return json_reply(
            200, {"brands": [self._brand(call, brand) for brand in page.rows], **page.around}
        )

    def brand(self, call: Call) -> Reply:
        """One brand."""
        brand = self._account.brands.get(number_in_path(call))
        if brand is None:
            raise not_found()
        return json_reply(200, {"brand": self._brand(call, brand)})

    def _user(self, call: Call) -> User:
        user = self._account.users.get(number_in_path(call))
        if user is None:
            raise not_found()
        return user

    def _group(self, call: Call, group: Named) -> Json:
        is_default = group.id == next(iter(self._account.groups))
        return group_json(group, call.base_url, is_default=is_default)

    def _brand(self, call: Call, brand: Named) -> Json:
        is_default = brand.id == next(iter(self._account.brands))
        subdomain = self._account.settings.subdomain
        return brand_json(brand, call.base_url, subdomain, is_default=is_default)

    def _answer(self, call: Call, user: User, status: int) -> Reply:
        return json_reply(status, {"user": user_json(user, call.base_url)})

    def _list(self, call: Call, users: list[User]) -> Reply:
        page = page_of(call, users, lambda user: user.id)
        rows = [user_json(user, call.base_url) for user in page.rows]
        return json_reply(200, {"users": rows, **page.around})


def check_unique(account: Account, given: Json, other_than: User | None = None) -> None:
    """Raise Refusal where somebody else has that address or external id."""
    email, external_id = given.get("email"), given.get("external_id")
    taken = account.user_by_email(email)
    if taken is not None and taken is not other_than:
        why = f"Email: {email} is already being used by another user"
        raise invalid_field("email", why, "DuplicateValue")
    taken = account.user_by_external_id(str(external_id)) if external_id else None
    if taken is not None and taken is not other_than:
        why = f"External: {external_id} has already been taken"
        raise invalid_field("external_id", why, "DuplicateValue")


def requester_of(account: Account, given: Json, actor: User) -> User:
    """Whom a creation names as requester, made if need be; the caller if it names nobody."""
    if given.get("requester_id") is not None:
        user = account.users.get(int(given["requester_id"]))
        if user is None:
            raise invalid_field("requester", "Requester: is invalid", "InvalidValue")
        return user
    requester = given.get("requester")
    if not isinstance(requester, dict):
        return actor
    return account.user_by_email(requester.get("email")) or new_user(account, requester)


def new_user(account: Account, given: Json) -> User:
    """A new user; only a name is needed. Raises Refusal."""
    name = str(given.get("name") or given.get("email") or "").strip()
    if not name:
        raise invalid_field("name", "Name: is too short (minimum is 1 characters)", "BlankValue")
    role = given.get("role", "end-user")
    if role not in get_args(Role) or role == "light_agent":
        raise invalid_field("role", f"Role: {role} is invalid")
    is_agent = role != "end-user"
    now = account.second()
    return account.add_user(
        User(
            id=account.new_id(),
            name=name,
            email=given.get("email") or None,
            role=role,
            group_ids=[next(iter(account.groups))] if is_agent else [],
            tags=as_tag_list(given.get("tags")),
            organization_id=given.get("organization_id"),
            external_id=str(given["external_id"]) if given.get("external_id") else None,
            created_at=now,
            updated_at=now,
            is_verified=bool(given.get("verified", False)),
        )
    )


def _change(account: Account, user: User, given: Json) -> None:
    user.name = str(given.get("name") or user.name)
    user.email = given.get("email") or user.email
    if given.get("external_id"):
        user.external_id = str(given["external_id"])
    if "tags" in given:
        user.tags = as_tag_list(given["tags"])
    user.is_suspended = bool(given.get("suspended", user.is_suspended))
    user.updated_at = account.second()
    account.add_user(user)


def _wire_role(user: User) -> str:
    return "agent" if user.role == "light_agent" else user.role
