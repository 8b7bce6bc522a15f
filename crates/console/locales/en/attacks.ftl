# Attacks: what the shield saw, and what it leaves out.

## Overview
attacks-refused = { $count ->
    [0] The shield has refused nothing today.
    [one] The shield has refused one request today.
   *[other] The shield has refused { $count } requests today.
}
attacks-detected = { $count ->
    [0] The shield refuses nothing; today it would not have had to.
    [one] The shield refuses nothing; today it would have refused one request.
   *[other] The shield refuses nothing; today it would have refused { $count } requests.
}
attacks-off = The shield is off: nothing is inspected.
shield-none = No shield stands in front of an app here.
shield-none-what = Requests are inspected by the gateway, which is set up with [gateway] in obhut.toml.
shield-runs = { $count ->
    [one] One rule runs: { $rules }.
   *[other] { $count } rules run: { $rules }.
}
shield-rules-own = the program's own
shield-since = Loaded { $when } UTC.
shield-off = The shield is off.
shield-off-what = Requests and answers pass without a look into them. It is switched on with mode = "block" or "detect" under [shield] in obhut.toml.
shield-detect = The shield only detects.
shield-detect-what = Attacks are counted here and pass. See in the report what would have been refused, exclude what the app needs, then set mode = "block" under [shield] in obhut.toml.
shield-less = { $count ->
    [one] On one route the shield does not refuse.
   *[other] On { $count } routes the shield does not refuse.
}
shield-stale = Older rules run than those on the disk.
shield-stale-what = The rules were read anew { $when } UTC and could not be used, so those before stayed in force. `obhut rules check` says what is wrong with the new ones.
shield-line-block = Shield: refuses attacks
shield-line-detect = Shield: only detects
shield-line-off = Shield: off
fact-attacks-refused = requests refused today
fact-attacks-would = would have been refused today
fact-attacks-passed = with matches, passed today
attacks-over-time = Attacks over time
attacks-finding = { $count ->
    [one] One event, { $refused } refused.
   *[other] { $count } events, { $refused } of them refused, stacked by what became of them.
}
attacks-untold = { $count ->
    [one] Of one of them, in a flood, only this is known; it is in no table below.
   *[other] Of { $count } of them, in a flood, only this is known; they are in no table below.
}
attacks-none = Nothing was seen.
attacks-by-route = By route
attacks-by-rule = By rule
shield-refusal-body-too-large = The body was longer than is inspected
shield-refusal-too-much = More fields, parts, headers or levels than are inspected
shield-refusal-too-large-inside = What is packed inside was larger than is inspected
attacks-events = Events
attacks-kept = { $count ->
    [0] None of them is kept in detail.
    [one] One of them is kept in detail.
   *[other] { $count } of them are kept in detail.
}
attacks-nobody = Of a flood, some of each kind are kept and all are counted. What a client sent is never kept, nor where it came from.
attacks-unwritten = { $count ->
    [one] Once, the disk did not take something.
   *[other] { $count } times the disk did not take something.
}
events-shown = { $count ->
    [one] One event
   *[other] { $count } events
}
rules-shown = The { $count } most frequent rules are shown.
chart-time = Time
filter-span = Span
filter-mode = Mode
span-hour = one hour
span-day = 24 hours
span-week = 7 days
span-month = 30 days
mode-block = block
mode-detect = detect
outcome-refused = refused
outcome-would = would have been refused
outcome-passed = passed
col-rule = Rule
col-outcome = What became of it
col-refused-times = Refused
col-would-times = Would have been
col-passed-times = Passed
col-last = Last
no-route = no route
other-routes = other routes
other-rules = other rules
attack-reference = Reference number
attack-find = Look it up
attack-unknown = No event with this number is kept. In a flood, not every one is.

## One event
event-named = Event { $reference }
event-sentence-refused = A request was refused, { $when } UTC.
event-sentence-would = A request would have been refused, { $when } UTC.
event-sentence-passed = Rules matched and the request passed, { $when } UTC.
event-nothing-sent = What the client sent, its address and the path are not kept; names of fields are, where they are plain.
attack-method = Method
attack-side = Found in
attack-status = Status
attack-score = Score
attack-by = Decided by rule
side-request = the request
side-answer = the answer
rules-matched = Rules that matched
rules-matched-none = No rule: the shield refused by itself.
rule-target = Looked at
rule-severity = Severity
rule-tags = Tags
rule-deciding = This rule decides on what the others found.
rule-deciding-what = A rule that only decides cannot be excluded: without it nothing would be refused any more. Exclude the one that found something wrongly.
severity-0 = emergency
severity-1 = alert
severity-2 = critical
severity-3 = error
severity-4 = warning
severity-5 = notice
severity-6 = information
severity-7 = debug

## Excluding
exclude = Exclude
exclude-this = Exclude rule { $rule } here
exclude-sentence = Exclude rule { $rule }?
exclude-what = What it would have found there is found no more. Choose the least that helps; it can be taken back at any time, and stands in the ledger either way.
exclude-reach = How far
exclude-writes = What is written: { $reach }
exclude-none = This rule is excluded already, in every way that is possible here.
exclude-because = Reason
exclude-because-hint = Stands in a file in clear, for your colleagues and auditors: name nobody.
reach-target = On this route, for this field
reach-target-what = The rule still looks at everything else.
reach-route = On this route
reach-route-what = The rule does not run on this route at all.
reach-target-everywhere = On every route, for this field
reach-target-everywhere-what = The rule still looks at everything else.
reach-everywhere = On every route
reach-everywhere-what = The rule does not run at all.
wrong-bad-reason = Enter a reason of at most 300 characters, on one line.
wrong-unknown-route = There is no such route any more.
wrong-unknown-rules = No such rule runs.
wrong-bad-target = The rules know no such field, or it is longer than 1,024 bytes.
wrong-already-excluded = This is excluded already.
wrong-too-many-exclusions = There are too many exclusions, or they are too long together. Take some back, or exclude a range or a tag in obhut.toml.
wrong-unknown-exclusion = There is no such exclusion any more.
wrong-deciding-rule = Rules that only decide, or keep the score for that, are among these and cannot be excluded: nothing would be refused any more. Name the rules that found something wrongly.
wrong-exclusion-too-wide = This would switch { $count } rules off; at most 50 are at once. Name a narrower range or tag, or the field that they shall not look at.
wrong-exclusions-not-written = The exclusion could not be written; nothing was changed.
wrong-rules-not-loaded = The rules did not take the exclusion; nothing was changed.

## Exclusions
exclusions = Exclusions
exclusions-sentence = { $count ->
    [0] The shield leaves nothing out.
    [one] The shield leaves one thing out.
   *[other] The shield leaves { $count } things out.
}
exclusions-what = Beside what the rules leave out themselves. Who set one and who took it back stands in the ledger.
exclusions-none = No rule is excluded.
exclusion-everywhere = every route
exclusion-configured = in obhut.toml
exclusion-without = without effect: no such route or rule
exclusion-lift = Take back
col-where = Where
col-because = Reason
col-since = Since, by
lift-sentence = Let rule { $rules } run there again?
lift-what = From then on what it refuses is refused again.
done-rules-excluded = Excluded, and in force.
done-exclusion-lifted = Taken back; the rule runs there again.

## Report
attacks-report = What would have been refused
report-sentence = { $rules ->
    [0] Where the shield only detects, nothing would have been refused.
    [one] One rule would have refused requests on { $routes ->
        [one] one route.
       *[other] { $routes } routes.
    }
   *[other] { $rules } rules would have refused requests on { $routes ->
        [one] one route.
       *[other] { $routes } routes.
    }
}
report-what = From the events of thirty days that are kept in detail, where the shield only detects. What is excluded by now is left out.
report-none = Nothing is left to decide.
report-more = { $count ->
    [one] One more line is not shown.
   *[other] { $count } more lines are not shown.
}
report-decide = Was it an attack?
report-decide-what = Look at an event of each line. What your app sends by itself and needs, exclude; an attack, leave as it is.
report-because = seen while detecting, needed by the app
report-all = { $count ->
    [one] Exclude the field that is shown
   *[other] Exclude all { $count } fields that are shown
}
report-no-route = Lines where no route fits are left out: name a route for those paths first.
report-whole = Lines that name no field are not among them: excluding one switches the rule off on the whole route, and anybody can cause one with an attack in a field with an odd name, which is hidden. Decide on each by itself.
report-one = Exclude the rule on this route
report-one-target = Exclude this field on this route
