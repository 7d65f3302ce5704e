"""A link's settings as the policy that the core plans by."""

from __future__ import annotations

from config.loaded import Config, phrases
from config.schema import PartnerPlace
from config.status_map import status_map
from syncd.core.model import ConnectionName, LinkName, Role, Side
from syncd.core.policy import (
    AttachmentRules,
    Direction,
    FieldRule,
    LinkPolicy,
    MassRule,
    StatusRule,
)
from syncd.core.tags import fold


def link_policy(config: Config, name: LinkName) -> LinkPolicy:
    """The policy of a link that the configuration has."""
    link = config.links[name]
    platform = ConnectionName(link.platform.connection)
    partner = ConnectionName(link.partner.connection)
    return LinkPolicy(
        link=name,
        view=link.platform.view,
        connections={Side.PLATFORM: platform, Side.PARTNER: partner},
        statuses=status_map(
            link.status,
            config.connections[platform].status_values(),
            config.connections[partner].status_values(),
        ),
        # Tags are compared folded, so their patterns must be too.
        share_tags=tuple(fold(pattern) for pattern in link.tags.share or ()),
        partner_tags=link.tags.add_on_partner or (),
        public=Direction(link.comments.public),
        private=Direction(link.comments.private),
        local_marker=link.comments.local_marker,
        attachments=AttachmentRules(
            direction=Direction(link.attachments.direction),
            max_bytes=link.attachments.max_size,
            allow=link.attachments.types.allow or (),
            deny=link.attachments.types.deny or (),
            carries_unscanned=link.attachments.unscanned == "carry",
            patience=link.attachments.give_up_after,
        ),
        hand_off_phrases=phrases(link, config.label(platform)),
        placement=_placement(link.partner),
        fields=_fields(link.partner),
        confirm_minutes=max(1, round(link.hand_off.confirm_within.total_seconds() / 60)),
        hand_off_roles=frozenset(Role(role) for role in link.hand_off.roles),
        status_rule=StatusRule(link.conflicts.status),
        has_close_guard=link.close_guard,
        language=link.language,
        wording=dict(link.notes or {}),
        platform_name=config.label(platform),
        partner_name=config.label(partner),
        ball_tag=link.hand_off.tag,
        context=tuple((link.context.metadata or {}).items()),
        metadata_filter={
            key: frozenset(values) for key, values in (link.filter.metadata or {}).items()
        },
        history_limit=link.history_limit,
        loop_limit=link.loop_limit,
        mass_rule=MassRule(
            least=link.mass_changes.least,
            most=link.mass_changes.most,
            share=link.mass_changes.share,
            within=link.mass_changes.within,
        ),
        other_views=frozenset(
            other.platform.view
            for other_name, other in config.links.items()
            if other_name != name and other.platform.connection == platform
        ),
    )


def _fields(place: PartnerPlace) -> tuple[FieldRule, ...]:
    named = {"priority": place.priority, "type": place.type, **(place.fields or {})}
    return tuple(
        FieldRule(
            name=name,
            source=filled.metadata,
            values=filled.values or {},
            default=filled.default,
        )
        for name, filled in named.items()
        if filled is not None
    )


def _placement(place: PartnerPlace) -> tuple[tuple[str, str], ...]:
    named = {
        "group": place.group,
        "brand": place.brand,
        "form": place.form,
        "assignee": place.assignee,
    }
    return tuple((key, name) for key, name in named.items() if name is not None)
