# Pages of staff.

## Overview
overview-good = Personal data are in good hands.
overview-held-back = Personal data are held back: the ledger is not in order.
overview-differs = The ledger on the disk is not the one that was signed.
overview-places = { $count ->
    [one] Personal data are in good hands, except in one place that nothing protects.
   *[other] Personal data are in good hands, except in { $count } places that nothing protects.
}
overview-leaks = { $count ->
    [one] Personal data are in good hands. Once, something personal passed where no rule expects it.
   *[other] Personal data are in good hands. { $count } times something personal passed where no rule expects it.
}
overview-as-of = { $weekday } { $date }, { $time } UTC. Everything here was computed from the ledger just now.
fact-reads-today = accesses today
fact-refused = accesses refused in 14 days
fact-persons = persons whose data we keep
fact-erased = persons erased
reads-title = Who needs the data: accesses per purpose
reads-span = 14 days
reads-none = Nobody has read anything in 14 days.
reads-note = Each access has an entry in the ledger, with its purpose; refused ones count, too. Today is not complete and drawn lighter.
reads-incomplete = Counted since { $since }; older entries were not looked at.
reads-finding = { $count ->
    [one] One access in 14 days.
   *[other] { $count } accesses in 14 days, stacked by purpose, one column per day.
}
by-own-right = By the person's own right
ledger-entries = Entries
ledger-provable = Provable
ledger-signed = Last checkpoint
ledger-root = Signed root
ledger-witness = Witnesses
witness-none = none (W0): only this house vouches
witness-some = { $count ->
    [one] one has cosigned
   *[other] { $count } have cosigned
}
ledger-what-checked = Checked for this page: the tree on the disk has the root that was signed. Every entry is checked by `obhut ledger verify`.
ledger-open = Open the ledger
flow-title = Who reads what
flow-who = Recipient
flow-what = Category
flow-count = Times
flow-note = Counted per access that released something, once for each category it touched.
flow-none = Nobody has read anything in 14 days.
unprotected-title = What nothing protects
unprotected-none = Every route is protected, and nothing personal was seen where no rule expects it.
unprotected-websocket = WebSocket passes untouched
unprotected-events = Event streams pass untouched
unprotected-upload = Uploads pass untouched
unprotected-range = Parts of files pass untouched
unprotected-upstream = The app is reached in clear text off this machine: { $why }
leaks-seen = { $count ->
    [one] Once, something personal passed where no rule expects it.
   *[other] { $count } times something personal passed where no rule expects it.
}
own-sentence = { $count ->
    [0] You have no purpose for which you may read.
    [one] You may read personal data for one purpose.
   *[other] You may read personal data for { $count } purposes.
}
own-persons = { $count ->
    [one] One person is kept here. What you read is recorded, and the person can see it.
   *[other] { $count } persons are kept here. What you read is recorded, and the person can see it.
}
own-purposes = Your purposes
own-none = No purpose names your role. The privacy officer declares purposes.
find-person = Find a person

## Ledger
ledger-sentence = { $count ->
    [one] The ledger holds one entry.
   *[other] The ledger holds { $count } entries, { $provable } of them under a signed checkpoint.
}
ledger-nobody = Nobody is named here. Who a person is stands under her own key, and goes with it when she is erased.
ledger-empty = Nothing was written yet.
filter = Filter
filter-all = Everything
filter-event = What happened
filter-index = Entry number
filter-refused = Refused only
filter-go = Go
filter-apply = Filter
filter-clear = Clear the filter
filter-none = Nothing matches.
col-event = What happened
col-when = When
col-purpose = Purpose
col-recipient = Recipient
col-persons = Persons
col-verdict = How it ended
col-released = Values released
col-refused = Values refused
col-categories = Categories
col-reason = Reason
entry-number = Entry { $index }
entries-shown = { $count ->
    [one] One entry
   *[other] { $count } entries
}
entry-sentence = { $event }, { $when } UTC.
check-title = Check it yourself
check-how = With a copy of the ledger's folder and the house's public keys, offline, on any machine:
command = Command
check-keys = Public keys of this house
proof-title = Proof
proof-what = The entry stands under a signed checkpoint. The proof shows that to anybody, offline.
proof-get = Download the proof
proof-later = No checkpoint covers this entry yet. That takes a second or two; open the page again.

## Purposes and notices
purposes-sentence = { $count ->
    [one] Data may be read for one purpose; { $consent ->
        [0] it does not rest on consent.
       *[other] it rests on consent.
    }
   *[other] Data may be read for { $count } purposes; { $consent ->
        [0] none of them rests on consent.
        [one] one of them rests on consent.
       *[other] { $consent } of them rest on consent.
    }
}
purposes-what = A read without a purpose is refused. What a purpose does not declare is not shown.
purposes-title = Purposes
purposes-none = No purpose is declared. Nobody can read anything.
purpose-current = in force
purpose-withdrawn = withdrawn
purpose-on-consent = It rests on the consent of each person: without it, or after she takes it back, nobody reads.
purpose-on-law = It does not need a consent. A restriction or an objection of a person can still end it.
purpose-clear = Read in clear
purpose-masked = Read in part
purpose-marketing = Marketing
purpose-survives = Goes on under a restriction
purpose-name = Name in the API
col-basis = Legal basis
col-special = For special categories
col-fields = Fields
col-roles = Roles
col-state = State
yes = yes
no = no
basis-consent = Consent, GDPR Art. 6(1)(a)
basis-contract = Contract, GDPR Art. 6(1)(b)
basis-obligation = Legal obligation, GDPR Art. 6(1)(c)
basis-vital = Vital interests, GDPR Art. 6(1)(d)
basis-task = Public task, GDPR Art. 6(1)(e)
basis-interests = Legitimate interests, GDPR Art. 6(1)(f)
special-consent = Explicit consent, GDPR Art. 9(2)(a)
special-employment = Employment and social law, GDPR Art. 9(2)(b)
special-vital = Vital interests, GDPR Art. 9(2)(c)
special-claims = Legal claims, GDPR Art. 9(2)(f)
special-interest = Substantial public interest, GDPR Art. 9(2)(g)
special-care = Medicine and care, GDPR Art. 9(2)(h)
special-health = Public health, GDPR Art. 9(2)(i)
special-research = Research and statistics, GDPR Art. 9(2)(j)
notices-title = Notices
notices-none = No notice was written yet. Without one, nobody can be asked for consent.
notice-sentence = “{ $name }”, as persons are shown it.
notice-version = { $version ->
    [one] First version.
   *[other] Version { $version }.
}
col-notice = Notice
col-languages = Languages
col-versions = Versions

## Consents
consents-sentence = { $asked ->
    [0] Nobody was asked for consent.
    [one] One consent was asked for; { $given } given, { $withdrawn } taken back.
   *[other] { $asked } consents were asked for; { $given } given, { $withdrawn } taken back.
}
consents-span = In the last { $days } days, counted from the ledger. Who it was does not stand here.
consents-title = From the question to the answer
consents-none = Nothing was asked and nothing answered.
consents-asked = Asked
consents-shown = Notice shown
consents-given = Given
consents-refused = Refused
consents-withdrawn = Taken back
consents-of-one = The consents of one person
consents-of-one-how = Find the person first. What somebody was asked tells of them, so looking is recorded.
consents-resting = Purposes that rest on consent
consents-resting-none = No purpose rests on consent.
consents-person = { $count ->
    [0] This person was never asked.
    [one] This person was asked once; { $permitting ->
        [0] no consent is in force.
       *[other] it is in force.
    }
   *[other] This person was asked { $count } times; { $permitting ->
        [0] no consent is in force.
        [one] one consent is in force.
       *[other] { $permitting } are in force.
    }
}
consents-person-none = No consent was asked for.
consent-event-request = Asked
consent-event-show = Notice shown
consent-event-defer = To be decided later
consent-event-give = Given
consent-event-refuse = Refused
consent-event-withdraw = Taken back
consent-event-expire = Expired
consent-event-terminate = Ended by the controller
consent-event-invalidate = Found invalid
until = until { $date }
term-days = { $days ->
    [one] for one day
   *[other] for { $days } days
}

## People
people-sentence = Whom are you looking for?
people-recorded = Each search and each read is recorded with your role, the time and the purpose, and the person can see it.
one-person = Person
find-ref = Reference of the app
find-by = Search by
find-value = Equal to
find-value-hint = The whole value: searching is by equality, on encrypted data.
find-no-purpose = None (for the reference alone)
find-purpose-hint = A purpose that declares the field you search by.
find-nothing-indexed = No field can be searched. The catalogue says which are.
found = Found
found-sentence = { $count ->
    [0] Nobody was found.
   *[other] { $count } persons were found.
}
found-nobody = Or nobody whom you may find: from outside, both look the same.
person-veiled = { $all ->
   *[other] { $seen } of { $all } fields are open. Choose a purpose to read.
}
person-read = { $seen ->
    [0] You see none of { $all } fields.
    [one] You see one of { $all } fields of this person.
   *[other] You see { $seen } of { $all } fields of this person.
}
acting-as = You act as: { $role }
read-recorded = This read is entry { $index } of the ledger. When you leave this page, the values are veiled again.
to-entry = To the entry
data-title = Data
data-hatch = Hatched: encrypted, not opened for you
data-none = The catalogue names no fields.
no-value = nothing stored
ask-title = Read with a purpose
ask-no-purpose = No purpose names your role.
ask-fields = Fields
ask-recorded = The read is recorded before a value is shown.
ask-read = Read the chosen fields
mask-redact = stays masked
mask-initials = initials alone
mask-last-four = last characters alone
mask-year = the year alone
more-title = More of this person
looked-recorded = Looking at this is itself recorded.
accesses-title = Who read what
accesses-sentence = { $count ->
    [0] Nobody has touched the data of this person.
    [one] The data of this person were touched once; { $refused } refused.
   *[other] The data of this person were touched { $count } times; { $refused } refused.
}
accesses-none = There is no entry.
accesses-more = The latest { $count } are shown.
actor-gone = no longer known: that part of the entry was destroyed

## Gateway
gateway-none = No gateway runs in this house.
gateway-none-what = The app stores and reads through the API alone. A gateway is set up with [gateway] in obhut.toml.
gateway-sentence = { $routes ->
    [one] The gateway guards one route; { $places ->
        [0] nothing passes unprotected.
        [one] one place is unprotected.
       *[other] { $places } places are unprotected.
    }
   *[other] The gateway guards { $routes } routes; { $places ->
        [0] nothing passes unprotected.
        [one] one place is unprotected.
       *[other] { $places } places are unprotected.
    }
}
gateway-since = Counted since the process started, at
gateway-shown = values shown in clear
gateway-masked = values masked
gateway-foreign = tokens from clients
gateway-refused = requests refused
not-protected = partly unprotected
routes-title = Routes and rules
routes-none = No route is declared; everything passes as it is.
all-methods = all methods
col-route = Route
col-takes = Takes in
col-shows = Shows
col-shown = Shown
col-masked = Masked
col-answers = Answers
col-what = What
leaks-title = Personal data where no rule expects them
leaks-none = Nothing was seen.
token-unruled = token without a rule
refusals-title = Refused, and trouble with the app
refusals-none = Nothing was refused.
token-from-client = token from a client
counted-others = others

## Settings
settings-sentence = { $keys ->
    [one] One key is in use, and { $sessions ->
        [one] one session is open.
       *[other] { $sessions } sessions are open.
    }
   *[other] { $keys } keys are in use, and { $sessions ->
        [one] one session is open.
       *[other] { $sessions } sessions are open.
    }
}
settings-epochs = { $count ->
    [one] One shred epoch is alive.
   *[other] { $count } shred epochs are alive.
}
keys-title = Who may act
keys-none = No key, link or session is in use.
keys-shown = { $count ->
    [one] One line
   *[other] { $count } lines
}
keys-find = Part of the name, or the id
keys-all = Show ended ones, too
keys-active = Show only what is in use
col-name = Name
col-kind = Kind
col-role = Role
col-ends = Ends
no-name = without a name
never = never
credential-key = API key
credential-viewer = User of the app
credential-link = Sign-in link
credential-session = Session
key-revoked = revoked
key-expired = expired
revoke = Revoke
revoke-sentence = Revoke “{ $name }” ({ $kind })?
revoke-what = From then on it is accepted nowhere. That cannot be undone; a new one can be issued.
done-key-revoked = Revoked. It is accepted nowhere any more. If that was a mistake, issue a new one.
issue-key = Issue a key
issue-key-sentence = Issue a key for a program.
issue-key-what = A key belongs to one program and one role. It is shown once.
issue-link = Issue a sign-in link
issue-link-sentence = Let somebody in to these pages.
issue-link-what = A link signs in once, in one role. It is shown once; hand it over by a way you trust.
order-name = Name
order-name-hint = Persons see it in the list of who read what.
order-role = Role
order-subject = Person
order-subject-hint = Only for the role Person: the id, per_…
order-days = Lasts for so many days
order-days-hint = Empty: until it is revoked.
order-days-link = At most 7.
order-zone = From these networks alone
order-zone-hint = Like 10.0.0.0/8; empty: from anywhere.
wrong-bad-name = Enter a name of at most 200 bytes.
wrong-bad-role = Choose one of the roles.
wrong-bad-subject = The role Person needs the id of a person; no other role may have one.
wrong-bad-expiry = Enter a number of days, for a link at most 7.
wrong-bad-zone = Enter networks like 10.0.0.0/8, at most 50.
form-look = Nothing was issued. Look at the field that is marked.
back = Back
back-to-settings = Back to settings
once-key = The key is issued.
once-key-what = Copy it now. It is shown this once and stored nowhere.
once-link = The link is issued.
once-link-what = Copy it now. It is shown this once, stored nowhere, and works once.
once-principal = Its id, by which it can be revoked:
epochs-title = Shred epochs
epochs-what = Each week has a key under which the persons' keys lie. When an old one is destroyed, no copy and no backup of that week opens any more.
epochs-none = No epoch was made yet.
epoch-current = this week
epoch-kept = until nobody hangs on it
epoch-destroyed = destroyed on { $when }
col-week = Week
col-made = Made
networks-title = House and networks
networks-ledger = May read the ledger's public files without a key
networks-nobody = nobody
networks-where = These stand in obhut.toml and in the networks of each key.
tenant-id = Tenant
ledger-origin = Ledger
