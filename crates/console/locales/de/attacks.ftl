# Angriffe: was der Schild sah und was er auslässt.

## Überblick
attacks-refused = { $count ->
    [0] Der Schild hat heute nichts abgelehnt.
    [one] Der Schild hat heute eine Anfrage abgelehnt.
   *[other] Der Schild hat heute { $count } Anfragen abgelehnt.
}
attacks-detected = { $count ->
    [0] Der Schild lehnt nichts ab; heute hätte er es auch nicht müssen.
    [one] Der Schild lehnt nichts ab; heute hätte er eine Anfrage abgelehnt.
   *[other] Der Schild lehnt nichts ab; heute hätte er { $count } Anfragen abgelehnt.
}
attacks-off = Der Schild ist aus: Nichts wird untersucht.
shield-none = Hier steht kein Schild vor einer Anwendung.
shield-none-what = Anfragen untersucht das Tor; es wird mit [gateway] in obhut.toml eingerichtet.
shield-runs = { $count ->
    [one] Eine Regel läuft: { $rules }.
   *[other] { $count } Regeln laufen: { $rules }.
}
shield-rules-own = die des Programms
shield-since = Geladen { $when } UTC.
shield-off = Der Schild ist aus.
shield-off-what = Anfragen und Antworten gehen hindurch, ohne dass jemand hineinsieht. Eingeschaltet wird er mit mode = "block" oder "detect" unter [shield] in obhut.toml.
shield-detect = Der Schild erkennt nur.
shield-detect-what = Angriffe werden hier gezählt und gehen hindurch. Sehen Sie im Bericht nach, was abgelehnt worden wäre, nehmen Sie aus, was die Anwendung braucht, und setzen Sie dann mode = "block" unter [shield] in obhut.toml.
shield-less = { $count ->
    [one] Auf einer Route lehnt der Schild nichts ab.
   *[other] Auf { $count } Routen lehnt der Schild nichts ab.
}
shield-stale = Es laufen ältere Regeln als die auf der Platte.
shield-stale-what = Die Regeln wurden { $when } UTC neu gelesen und waren nicht zu gebrauchen; die vorigen blieben in Kraft. `obhut rules check` sagt, was an den neuen falsch ist.
shield-line-block = Schild: lehnt Angriffe ab
shield-line-detect = Schild: erkennt nur
shield-line-off = Schild: aus
fact-attacks-refused = heute abgelehnte Anfragen
fact-attacks-would = wären heute abgelehnt worden
fact-attacks-passed = mit Treffern, heute durchgelassen
attacks-over-time = Angriffe im Verlauf
attacks-finding = { $count ->
    [one] Ein Ereignis, { $refused } abgelehnt.
   *[other] { $count } Ereignisse, davon { $refused } abgelehnt, gestapelt nach ihrem Ausgang.
}
attacks-untold = { $count ->
    [one] Von einem davon ist in einer Flut nur dies bekannt; es steht in keiner Tabelle darunter.
   *[other] Von { $count } davon ist in einer Flut nur dies bekannt; sie stehen in keiner Tabelle darunter.
}
attacks-none = Gesehen wurde nichts.
attacks-by-route = Nach Route
attacks-by-rule = Nach Regel
shield-refusal-body-too-large = Der Rumpf war länger, als untersucht wird
shield-refusal-too-much = Mehr Felder, Teile, Kopfzeilen oder Ebenen, als untersucht werden
shield-refusal-too-large-inside = Was darin verpackt war, war größer, als untersucht wird
attacks-events = Ereignisse
attacks-kept = { $count ->
    [0] Keines davon ist einzeln aufbewahrt.
    [one] Eines davon ist einzeln aufbewahrt.
   *[other] { $count } davon sind einzeln aufbewahrt.
}
attacks-nobody = Von einer Flut werden einige jeder Art aufbewahrt und alle gezählt. Was ein Client gesendet hat, wird nie aufbewahrt, und auch nicht, woher es kam.
attacks-unwritten = { $count ->
    [one] Einmal nahm die Platte etwas nicht an.
   *[other] { $count }-mal nahm die Platte etwas nicht an.
}
events-shown = { $count ->
    [one] Ein Ereignis
   *[other] { $count } Ereignisse
}
rules-shown = Gezeigt sind die { $count } häufigsten Regeln.
chart-time = Zeit
filter-span = Zeitraum
filter-mode = Betriebsart
span-hour = eine Stunde
span-day = 24 Stunden
span-week = 7 Tage
span-month = 30 Tage
mode-block = ablehnen
mode-detect = erkennen
outcome-refused = abgelehnt
outcome-would = wäre abgelehnt worden
outcome-passed = durchgelassen
col-rule = Regel
col-outcome = Ausgang
col-refused-times = Abgelehnt
col-would-times = Wäre abgelehnt
col-passed-times = Durchgelassen
col-last = Zuletzt
no-route = keine Route
other-routes = übrige Routen
other-rules = übrige Regeln
attack-reference = Kennzahl
attack-find = Nachschlagen
attack-unknown = Kein Ereignis mit dieser Kennzahl ist aufbewahrt. In einer Flut ist es nicht jedes.

## Ein Ereignis
event-named = Ereignis { $reference }
event-sentence-refused = Eine Anfrage wurde abgelehnt, { $when } UTC.
event-sentence-would = Eine Anfrage wäre abgelehnt worden, { $when } UTC.
event-sentence-passed = Regeln schlugen an, und die Anfrage ging hindurch, { $when } UTC.
event-nothing-sent = Was der Client gesendet hat, seine Adresse und der Pfad sind nicht aufbewahrt; Namen von Feldern schon, wo sie schlicht sind.
attack-method = Methode
attack-side = Gefunden in
attack-status = Status
attack-score = Punkte
attack-by = Entschieden hat Regel
side-request = der Anfrage
side-answer = der Antwort
rules-matched = Regeln, die anschlugen
rules-matched-none = Keine Regel: Der Schild lehnte von sich aus ab.
rule-target = Geprüft wurde
rule-severity = Schwere
rule-tags = Merkmale
rule-deciding = Diese Regel entscheidet über das, was die anderen fanden.
rule-deciding-what = Eine Regel, die nur entscheidet, lässt sich nicht ausnehmen: Ohne sie würde nichts mehr abgelehnt. Nehmen Sie die aus, die zu Unrecht anschlug.
severity-0 = Notfall
severity-1 = Alarm
severity-2 = kritisch
severity-3 = Fehler
severity-4 = Warnung
severity-5 = Hinweis
severity-6 = Mitteilung
severity-7 = Fehlersuche

## Ausnehmen
exclude = Ausnehmen
exclude-this = Regel { $rule } hier ausnehmen
exclude-sentence = Regel { $rule } ausnehmen?
exclude-what = Was sie dort gefunden hätte, findet sie nicht mehr. Wählen Sie das Wenigste, das hilft; es lässt sich jederzeit zurücknehmen und steht so oder so im Protokoll.
exclude-reach = Wie weit
exclude-writes = Was geschrieben wird: { $reach }
exclude-none = Diese Regel ist schon ausgenommen, so weit es hier geht.
exclude-because = Grund
exclude-because-hint = Steht offen in einer Datei, für die im Haus und die Prüfung: Nennen Sie niemanden.
reach-target = Auf dieser Route, für dieses Feld
reach-target-what = Alles andere prüft die Regel weiter.
reach-route = Auf dieser Route
reach-route-what = Die Regel läuft auf dieser Route gar nicht.
reach-target-everywhere = Auf jeder Route, für dieses Feld
reach-target-everywhere-what = Alles andere prüft die Regel weiter.
reach-everywhere = Auf jeder Route
reach-everywhere-what = Die Regel läuft gar nicht.
wrong-bad-reason = Geben Sie einen Grund von höchstens 300 Zeichen in einer Zeile an.
wrong-unknown-route = Diese Route gibt es nicht mehr.
wrong-unknown-rules = Eine solche Regel läuft nicht.
wrong-bad-target = Die Regeln kennen kein solches Feld, oder es ist länger als 1.024 Bytes.
wrong-already-excluded = Das ist schon ausgenommen.
wrong-too-many-exclusions = Es sind zu viele Ausnahmen, oder sie sind zusammen zu lang. Nehmen Sie einige zurück, oder nehmen Sie in obhut.toml einen Bereich oder ein Merkmal aus.
wrong-unknown-exclusion = Diese Ausnahme gibt es nicht mehr.
wrong-deciding-rule = Darunter sind Regeln, die nur entscheiden oder die Punkte dafür zählen; sie lassen sich nicht ausnehmen: Es würde nichts mehr abgelehnt. Nennen Sie die Regeln, die zu Unrecht anschlugen.
wrong-exclusion-too-wide = Das würde { $count } Regeln abschalten; höchstens 50 sind es auf einmal. Nennen Sie einen engeren Bereich, ein engeres Merkmal oder das Feld, das sie nicht prüfen sollen.
wrong-exclusions-not-written = Die Ausnahme ließ sich nicht schreiben; geändert wurde nichts.
wrong-rules-not-loaded = Die Regeln nahmen die Ausnahme nicht an; geändert wurde nichts.

## Ausnahmen
exclusions = Ausnahmen
exclusions-sentence = { $count ->
    [0] Der Schild lässt nichts aus.
    [one] Der Schild lässt eines aus.
   *[other] Der Schild lässt { $count } Dinge aus.
}
exclusions-what = Neben dem, was die Regeln selbst auslassen. Wer eine Ausnahme setzte und wer sie zurücknahm, steht im Protokoll.
exclusions-none = Keine Regel ist ausgenommen.
exclusion-everywhere = jede Route
exclusion-configured = in obhut.toml
exclusion-without = ohne Wirkung: keine solche Route oder Regel
exclusion-lift = Zurücknehmen
col-where = Wo
col-because = Grund
col-since = Seit, von
lift-sentence = Regel { $rules } dort wieder laufen lassen?
lift-what = Von da an wird wieder abgelehnt, was sie ablehnt.
done-rules-excluded = Ausgenommen und in Kraft.
done-exclusion-lifted = Zurückgenommen; die Regel läuft dort wieder.

## Bericht
attacks-report = Was abgelehnt worden wäre
report-sentence = { $rules ->
    [0] Wo der Schild nur erkennt, wäre nichts abgelehnt worden.
    [one] Eine Regel hätte Anfragen auf { $routes ->
        [one] einer Route abgelehnt.
       *[other] { $routes } Routen abgelehnt.
    }
   *[other] { $rules } Regeln hätten Anfragen auf { $routes ->
        [one] einer Route abgelehnt.
       *[other] { $routes } Routen abgelehnt.
    }
}
report-what = Aus den Ereignissen von dreißig Tagen, die einzeln aufbewahrt sind, wo der Schild nur erkennt. Was inzwischen ausgenommen ist, fehlt.
report-none = Zu entscheiden ist nichts mehr.
report-more = { $count ->
    [one] Eine weitere Zeile ist nicht gezeigt.
   *[other] { $count } weitere Zeilen sind nicht gezeigt.
}
report-decide = War es ein Angriff?
report-decide-what = Sehen Sie sich zu jeder Zeile ein Ereignis an. Was die Anwendung selbst sendet und braucht, nehmen Sie aus; einen Angriff lassen Sie, wie er ist.
report-because = beim Erkennen gesehen, die Anwendung braucht es
report-all = { $count ->
    [one] Das gezeigte Feld ausnehmen
   *[other] Alle { $count } gezeigten Felder ausnehmen
}
report-no-route = Zeilen, auf die keine Route passt, bleiben: Benennen Sie erst eine Route für diese Pfade.
report-whole = Zeilen, die kein Feld nennen, sind nicht dabei: Eine auszunehmen schaltet die Regel auf der ganzen Route ab, und jeder kann sie durch einen Angriff in einem Feld mit ungewöhnlichem Namen, der verborgen wird, entstehen lassen. Entscheiden Sie über jede einzeln.
report-one = Regel auf dieser Route ausnehmen
report-one-target = Feld auf dieser Route ausnehmen
