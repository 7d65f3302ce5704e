"""Checks that need more than one section: links against connections, links against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config import status_map
from config.alarms import Alarms
from config.document import Path
from config.loaded import label, phrases, webhook_path
from config.problem import Report, did_you_mean, shown
from config.schema import Link, PartnerPlace, PlatformPlace, Server
from syncd.core import handoff, notes
from syncd.core.model import Side
from syncd.core.tags import is_holdable
from syncd.settings import ConnectionSettings


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What could be read; a section with faults is here as far as it is sound."""

    server: Server | None
    alarms: Alarms | None
    connections: Mapping[str, ConnectionSettings]
    #: Every name under `connections`, and the role of its kind where that is known.
    roles: Mapping[str, Side | None]
    links: Mapping[str, Link]
    #: Both sides of every link that says them, be the rest of the link sound or not.
    places: Mapping[str, Sequence[PlatformPlace | PartnerPlace]]


def check(parts: Parts, report: Report) -> None:
    """Report everything that only shows when the sections are seen together."""
    for name, places in parts.places.items():
        for place in places:
            _check_place(name, place, parts, report)
    for name, link in parts.links.items():
        _check_statuses(name, link, parts, report)
        _check_words(name, link, parts, report)
        _check_tags(name, link, report)
    _check_overlaps(parts, report)
    _check_accounts(parts, report)
    _check_webhooks(parts, report)
    _check_use(parts, report)
    _check_routes(parts, report)


def _check_place(
    name: str, place: PlatformPlace | PartnerPlace, parts: Parts, report: Report
) -> None:
    side = Side.PLATFORM if isinstance(place, PlatformPlace) else Side.PARTNER
    at: Path = ("links", name, side.value, "connection")
    if place.connection not in parts.roles:
        hint = did_you_mean(place.connection, sorted(parts.roles))
        report.add(at, f"there is no connection `{place.connection}`", hint)
        return
    role = parts.roles[place.connection]
    if role is not None and role is not side:
        message = f"connection `{place.connection}` is a {role.value}'s desk"
        report.add(at, message, f"name a connection that can be a {side.value}'s desk")


def _desk(name: str, side: Side, parts: Parts) -> ConnectionSettings | None:
    settings = parts.connections.get(name)
    return settings if settings is not None and settings.role is side else None


def _check_statuses(name: str, link: Link, parts: Parts, report: Report) -> None:
    at: Path = ("links", name, "status")
    platform = _desk(link.platform.connection, Side.PLATFORM, parts)
    partner = _desk(link.partner.connection, Side.PARTNER, parts)
    if link.status is None or platform is None or partner is None:
        return
    if report.has_errors_at(("connections", link.platform.connection, "statuses")):
        return
    for fault in status_map.faults(
        link.status,
        platform.status_values(),
        partner.status_values(),
        is_whole=not report.has_errors_at(at),
    ):
        report.add((*at, *fault.path), fault.message, fault.hint)


def _check_words(name: str, link: Link, parts: Parts, report: Report) -> None:
    platform = _desk(link.platform.connection, Side.PLATFORM, parts)
    if platform is None:
        return
    name_of_platform = label(link.platform.connection, platform)
    written = phrases(link, name_of_platform)
    marker = link.comments.local_marker.casefold()
    if any(phrase.casefold().startswith(marker) for phrase in written):
        report.add(
            ("links", name, "comments", "local_marker"),
            "a hand-off phrase begins with the marker, so it would stay local",
            "choose another marker, such as #local",
        )
    notices = notes.samples(
        link.language,
        _sound_notes(name, link, report),
        platform=name_of_platform,
        partner=link.partner.connection,
    )
    for message in handoff.problems(written, notices):
        if link.hand_off.phrases is not None:
            report.add(("links", name, "hand_off", "phrases"), message)
        else:
            # The message would repeat the label, which may come from a reference.
            hint = "give the link `hand_off.phrases` of its own"
            report.add(("links", name), "the default hand-off phrases do not work here", hint)


def _check_tags(name: str, link: Link, report: Report) -> None:
    own: list[tuple[Path, str]] = [(("hand_off", "tag"), link.hand_off.tag)]
    own += [
        (("tags", "add_on_partner", index), tag)
        for index, tag in enumerate(link.tags.add_on_partner or ())
    ]
    for path, tag in own:
        if not is_holdable(tag):
            hint = "use letters, digits, '-', '_', ':', '/' and '.'"
            report.add(("links", name, *path), "not every desk can hold this tag", hint)


def _sound_notes(name: str, link: Link, report: Report) -> dict[str, str]:
    sound: dict[str, str] = {}
    for kind, words in (link.notes or {}).items():
        found = notes.override_problems({kind: words})
        for message in found:
            report.add(("links", name, "notes", kind), message.removeprefix(f"{kind}: "))
        if not found:
            sound[kind] = words
    return sound


def _check_overlaps(parts: Parts, report: Report) -> None:
    views: dict[tuple[str, ...], str] = {}
    desks: dict[tuple[str, ...], str] = {}
    for name, place in ((name, place) for name, each in parts.places.items() for place in each):
        if isinstance(place, PlatformPlace):
            view = (place.connection, place.view.casefold())
            if (first := views.setdefault(view, name)) != name:
                hint = "a view belongs to one link; name another view"
                _say_overlap(
                    ("links", name, "platform"), first, "the same view", hint, report=report
                )
            continue
        desk = (place.connection, (place.group or "").casefold(), (place.brand or "").casefold())
        if (first := desks.setdefault(desk, name)) != name:
            what = "the same connection, group and brand"
            hint = "give each link a group or a brand of its own"
            _say_overlap(("links", name, "partner"), first, what, hint, report=report)


def _check_accounts(parts: Parts, report: Report) -> None:
    """Connections to one account share its quota; two shares of it cannot both be meant."""
    first: dict[str, str] = {}
    for name, settings in parts.connections.items():
        if settings.account is None:
            continue
        known = first.setdefault(settings.account, name)
        if parts.connections[known].budget.share != settings.budget.share:
            report.add(
                ("connections", name, "budget"),
                f"the same account as connection `{shown(known)}`, and another share of its quota",
                "the smaller one counts for both; give both the same",
                is_warning=True,
            )


def _say_overlap(path: Path, first: str, what: str, hint: str, *, report: Report) -> None:
    line, _ = report.document.place((path[0], first, path[-1]))
    report.add(path, f"link `{shown(first)}` (line {line}) has {what}", hint)


def _check_webhooks(parts: Parts, report: Report) -> None:
    lacks_url = (
        parts.server is not None
        and parts.server.public_url is None
        and not report.has_errors_at(("server",))
    )
    seen: dict[str, str] = {}
    for name, settings in parts.connections.items():
        at: Path = ("connections", name)
        first = seen.setdefault(webhook_path(name, settings), name)
        if first != name:
            hint = "give it a path of its own"
            report.add(
                (*at, "webhook_path"), f"connection `{shown(first)}` has the same path", hint
            )
        if settings.has_webhooks and lacks_url:
            report.add(
                (*at, "webhooks" if settings.webhooks else "webhook_secret"),
                "webhooks need `server.public_url`, which is missing",
                "add it, or set `webhooks: false` here to poll only",
            )


def _check_use(parts: Parts, report: Report) -> None:
    used = {place.connection for places in parts.places.values() for place in places}
    for name in parts.roles.keys() - used:
        report.add(
            ("connections", name),
            "no link uses this connection",
            "remove it, or name it in a link",
            is_warning=True,
            of_key=True,
        )


def _check_routes(parts: Parts, report: Report) -> None:
    """A route that names what does not exist would be silent for ever."""
    routes = (parts.alarms.routes if parts.alarms is not None else None) or {}
    for name, route in routes.items():
        for key, named, known in (
            ("links", route.links, parts.places),
            ("connections", route.connections, parts.roles),
        ):
            for index, each in enumerate(named or ()):
                if each not in known:
                    message = f"there is no {key.removesuffix('s')} `{each}`"
                    at: Path = ("alarms", "routes", name, key, index)
                    report.add(at, message, did_you_mean(each, sorted(known)))
