"""Words of the made-up projects: twenty domains, each with its things, actions, quantities, labels and states."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Domain:
    """Words of one field of work; names are lowerCamel, as Go's."""

    name: str
    nouns: tuple[str, ...]
    verbs: tuple[str, ...]
    ints: tuple[str, ...]
    strings: tuple[str, ...]
    bools: tuple[str, ...]
    states: tuple[str, ...]


_TABLE = """
billing | invoice payment refund discount ledger receipt account tariff voucher | settle charge credit waive bill
 | amount balance installments taxCents dueDays | currency payer reference costCenter
 | overdue taxable disputed | open paid void draft
shipping | parcel route carrier depot pallet manifest container truck consignee | dispatch load reroute deliver weigh
 | weight stops volume legs dockNumber | origin destination tracking zone
 | fragile insured express | packed shipped lost returned
library | book loan shelf reader catalog edition copy reservation branch | lend renew shelve reserve return
 | pages loans copies fineCents volumes | author isbn title genre
 | borrowed rare digital | available loaned damaged archived
clinic | patient visit dose ward nurse referral chart bed symptom | admit discharge prescribe triage examine
 | pulse doses bedNumber visits age | diagnosis allergy physician insurer
 | urgent contagious fasting | waiting admitted stable critical
network | packet socket peer gateway subnet tunnel frame listener router | forward drop probe dial relay
 | bytesSent hops mtu backlog window | address host protocol cipher
 | encrypted multicast idle | up down degraded draining
compiler | token symbol scope module operand register block literal pragma | fold inline lower emit resolve
 | offset width arity uses column | mnemonic alias section mangled
 | volatile pure exported | parsed typed lowered dead
farm | field crop tractor herd silo harvest seed pasture barn | sow irrigate plow feed rotate
 | acres yield moisture bushels headCount | variety soil breed parcelCode
 | organic fallow fenced | planted ripe harvested fallowed
music | track album playlist singer chord mixer stem concert venue | mix mute transpose record shuffle
 | tempo plays bars rating loudness | key artist label genre
 | explicit looped live | recorded mastered released retired
kitchen | recipe order dish table waiter oven menu ticket pantry | cook plate season serve chop
 | portions calories minutes seats spoons | cuisine chef allergen course
 | vegan spicy takeaway | queued cooking served burnt
weather | station sensor forecast storm gauge front reading alert balloon | sample calibrate smooth predict warn
 | humidity pressure altitude samples drift | region unit model observer
 | automatic marine severe | nominal stale faulty offline
storage | bucket object chunk volume snapshot replica tier blob lease | replicate compact evict seal pin
 | size parts generation copies ttlDays | etag owner prefix checksum
 | immutable hot compressed | writable sealed expired orphaned
scheduler | job worker queue lane cron slot task batch trigger | enqueue retry cancel promote park
 | attempts priority depth quota deadlineMs | handler topic cluster cause
 | paused exclusive recurring | ready running failed done
chess | board piece player match clock move tournament opening league | castle promote resign pair rate
 | elo turns rank points round | color notation federation variant
 | checked rated timed | won drawn lost adjourned
hotel | room guest booking floor suite lobby minibar invoiceLine season | book upgrade clean checkIn bill
 | nights beds rateCents floorNumber stars | view guestName plan passport
 | smoking occupied breakfast | vacant booked occupiedNow blocked
mail | message mailbox folder draft attachment thread filter sender digest | send archive flag quote forward
 | unread size recipients spamScore bounces | subject domain folderName charset
 | spam starred encrypted | inbox sent trashed bounced
energy | meter turbine grid battery panel feeder outage tariffBand substation | shed balance curtail store meterRead
 | watts cycles voltage load phase | site operator fuel serial
 | islanded metered renewable | online tripped idling curtailed
factory | machine part assembly line shift gauge mold fixture inspector | stamp weld inspect calibrate retool
 | torque units scrap stations tolerance | serial alloy supplier lot
 | hardened calibrated lefthand | raw assembled passed rejected
transit | bus stop timetable driver fare platform trip signal tram | board divert depart validate couple
 | riders delay fareCents seats headway | lineName terminus zone operator
 | express accessible electric | scheduled departed delayed cancelled
security | session secret policy role grant key audit principal challenge | grant revoke rotate sign verify
 | attempts strength level lifetime uses | issuer subject scope fingerprint
 | locked trusted expired | active revoked pending banned
game | player quest item guild monster dungeon spell arena loot | spawn heal attack equip trade
 | health mana gold damage experience | guildName race weapon biome
 | cursed legendary hostile | alive stunned defeated hidden
museum | exhibit artifact curator gallery donation restoration guidebook crate | exhibit restore catalog loan acquire
 | century visitors valueCents items fragments | epoch donor material inventory
 | onLoan restored fragile | displayed stored loaned lost
space | probe orbit payload thruster antenna burn telemetry module crew | launch dock deorbit align burn
 | fuel thrust altitude orbits retries | mission target band phaseName
 | manned deployed armed | nominal safe lost docked
"""


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ADJECTIVES = _list("""active pending stale local remote shared primary backup daily nested cached staged merged legacy
 spare public internal regional partial frozen recent pooled bulk raw final early late linked""")
_SUFFIXES = _list("batch index registry pool plan window store group entry record history policy tracker summary")
_GENERIC_INTS = _list("limit count capacity version retries threshold step budget score revision total slots")
_GENERIC_STRINGS = _list("id name owner region kind tag source note category code")
_GENERIC_BOOLS = _list("enabled closed verified hidden ready strict")
_QUALIFIERS = _list("max min last next prev first base extra peak initial")
_COLORS = _list("amber cobalt crimson ivory jade onyx pearl rust saffron teal umber violet slate coral indigo sable")
_REASONS = _list("audit import export sync report quota billing review cleanup backfill rollout canary cutover")


def _domain(line: str) -> Domain:
    name, *lists = (part.split() for part in line.split("|"))
    return Domain(name[0], *(tuple(words) for words in lists))


DOMAINS = tuple(_domain(line) for line in _TABLE.replace("\n |", " |").strip().splitlines())

RESERVED = frozenset(
    _list("""break case chan const continue default defer else fallthrough for func go goto if import interface
    map package range return select struct switch type var append cap clear close complex copy
    delete imag len make max min new panic print println real recover any bool byte error float64
    int int64 rune string true false iota nil uint init main bytes context errors fmt maps math
    slices sort strconv strings sync testing time unicode t ctx err ok got want tt""")
)
"""Names that generated code never declares: keywords, built-ins, packages, and locals with a fixed meaning."""


def words(name: str) -> str:
    """`maxRetries` as "max retries"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()


def camel(*parts: str) -> str:
    """lowerCamel of the parts."""
    first, *rest = (part for part in parts if part)
    return first[0].lower() + first[1:] + "".join(upper(part) for part in rest)


def upper(name: str) -> str:
    """The exported form of a name."""
    return name[0].upper() + name[1:]


def plural(name: str) -> str:
    """The English plural of a noun."""
    if name.endswith(("s", "x", "ch", "sh")):
        return name + "es"
    if name.endswith("y") and name[-2] not in "aeiou":
        return name[:-1] + "ies"
    return name + "s"


def project_name(rng: Random, domain: Domain) -> str:
    """A repository's name."""
    return f"{rng.choice(_COLORS)}-{rng.choice(domain.nouns).lower()}-{rng.choice(_SUFFIXES)}"


def type_name(rng: Random, domain: Domain) -> str:
    """An exported type's name."""
    noun = rng.choice(domain.nouns)
    shape = rng.random()
    if shape < 0.3:
        return upper(noun)
    return upper(camel(rng.choice(_ADJECTIVES), noun) if shape < 0.65 else camel(noun, rng.choice(_SUFFIXES)))


def field_name(rng: Random, domain: Domain, kind: str) -> str:
    """A lowerCamel name that fits a value of this Go type."""
    special, generic = {
        "int": (domain.ints, _GENERIC_INTS),
        "float64": (domain.ints, ("ratio", "factor", "share", "mean", "load")),
        "string": (domain.strings, _GENERIC_STRINGS),
        "bool": (domain.bools, _GENERIC_BOOLS),
        "time.Duration": (("timeout", "interval", "delay", "grace", "age"), ("backoff", "period", "ttl", "wait")),
        "time.Time": (("createdAt", "updatedAt", "expiresAt"), ("seenAt", "startedAt", "closedAt", "checkedAt")),
    }[kind]
    name = rng.choice(special) if rng.random() < 0.6 else rng.choice(generic)
    qualified = rng.random()
    if kind in {"bool", "time.Time"} or qualified < 0.45:
        return name
    if qualified < 0.7:
        return camel(rng.choice(_QUALIFIERS), name)
    noun = rng.choice(domain.nouns) if qualified < 0.88 else rng.choice(_REASONS)
    return camel(noun, name)


def action(rng: Random, domain: Domain, verbs: tuple[str, ...], thing: str) -> str:
    """An exported method or function name: a verb, often a qualifier, and what it works on."""
    verb = rng.choice(verbs) if rng.random() < 0.7 else rng.choice(domain.verbs)
    between = rng.choice(["", rng.choice(_ADJECTIVES), rng.choice(domain.states), rng.choice(_REASONS)])
    return upper(camel(verb, between, thing))


def label(rng: Random, domain: Domain) -> str:
    """The text of a string literal: a state, or a compound."""
    word = rng.choice(domain.states)
    return (
        word
        if rng.random() < 0.4
        else f"{rng.choice(_ADJECTIVES)}-{rng.choice([word, rng.choice(domain.nouns).lower()])}"
    )


def number(rng: Random) -> int:
    """A number that somebody might have written: small, round, a power of two, or odd."""
    shapes = ((2, 12, 1), (2, 40, 5), (13, 400, 1), (1, 20, 100))
    low, high, scale = rng.choice(shapes)
    return 2 ** rng.randrange(3, 13) if rng.random() < 0.15 else rng.randrange(low, high) * scale


def fresh(rng: Random, taken: frozenset[str] | set[str], make: Callable[[], str]) -> str:
    """A name from `make()` that is neither taken nor reserved; numbers are tried last."""
    for _ in range(30):
        name = make()
        if name not in taken and name not in RESERVED:
            return name
    base, suffix = make(), 2
    while f"{base}{suffix}" in taken:
        suffix += rng.randrange(1, 4)
    return f"{base}{suffix}"
