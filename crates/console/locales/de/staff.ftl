# Seiten der Mitarbeitenden.

## Überblick
overview-good = Die personenbezogenen Daten sind in guter Obhut.
overview-held-back = Personenbezogene Daten werden zurückgehalten: Das Protokoll ist nicht in Ordnung.
overview-differs = Das Protokoll auf der Platte ist nicht das unterschriebene.
overview-places = { $count ->
    [one] Die personenbezogenen Daten sind in guter Obhut, bis auf eine Stelle, die nichts schützt.
   *[other] Die personenbezogenen Daten sind in guter Obhut, bis auf { $count } Stellen, die nichts schützt.
}
overview-leaks = { $count ->
    [one] Die personenbezogenen Daten sind in guter Obhut. Einmal kam etwas Persönliches vorbei, wo keine Regel es erwartet.
   *[other] Die personenbezogenen Daten sind in guter Obhut. { $count }-mal kam etwas Persönliches vorbei, wo keine Regel es erwartet.
}
overview-as-of = { $weekday }, { $date }, { $time } Uhr UTC. Alles hier wurde eben aus dem Protokoll errechnet.
fact-reads-today = Zugriffe heute
fact-refused = abgelehnte Zugriffe in 14 Tagen
fact-persons = Personen, deren Daten wir aufbewahren
fact-erased = gelöschte Personen
reads-title = Wer die Daten braucht: Zugriffe je Zweck
reads-span = 14 Tage
reads-none = In 14 Tagen hat niemand etwas gelesen.
reads-note = Jeder Zugriff hat einen Eintrag im Protokoll, mit seinem Zweck; abgelehnte zählen mit. Heute ist noch nicht vollständig und heller gezeichnet.
reads-incomplete = Gezählt seit { $since }; ältere Einträge wurden nicht angesehen.
reads-finding = { $count ->
    [one] Ein Zugriff in 14 Tagen.
   *[other] { $count } Zugriffe in 14 Tagen, nach Zweck gestapelt, eine Säule je Tag.
}
by-own-right = Aus eigenem Recht der Person
ledger-entries = Einträge
ledger-provable = Beweisbar
ledger-signed = Letzter Prüfpunkt
ledger-root = Unterschriebene Wurzel
ledger-witness = Zeugen
witness-none = keine (W0): Nur dieses Haus steht dafür ein
witness-some = { $count ->
    [one] einer hat mitunterschrieben
   *[other] { $count } haben mitunterschrieben
}
ledger-what-checked = Für diese Seite geprüft: Der Baum auf der Platte hat die Wurzel, die unterschrieben wurde. Jeden Eintrag prüft `obhut ledger verify`.
ledger-open = Protokoll öffnen
flow-title = Wer was liest
flow-who = Empfänger
flow-what = Kategorie
flow-count = Anzahl
flow-note = Gezählt wird jeder Zugriff, der etwas herausgab, einmal für jede Kategorie, die er berührte.
flow-none = In 14 Tagen hat niemand etwas gelesen.
unprotected-title = Was nichts schützt
unprotected-none = Jede Route ist geschützt, und nirgends wurde Persönliches gesehen, wo keine Regel es erwartet.
unprotected-websocket = WebSocket geht unberührt hindurch
unprotected-events = Ereignisströme gehen unberührt hindurch
unprotected-upload = Hochgeladenes geht unberührt hindurch
unprotected-range = Teile von Dateien gehen unberührt hindurch
unprotected-upstream = Die Anwendung wird außerhalb dieses Rechners im Klartext erreicht: { $why }
leaks-seen = { $count ->
    [one] Einmal kam etwas Persönliches vorbei, wo keine Regel es erwartet.
   *[other] { $count }-mal kam etwas Persönliches vorbei, wo keine Regel es erwartet.
}
own-sentence = { $count ->
    [0] Sie haben keinen Zweck, zu dem Sie lesen dürfen.
    [one] Sie dürfen personenbezogene Daten zu einem Zweck lesen.
   *[other] Sie dürfen personenbezogene Daten zu { $count } Zwecken lesen.
}
own-persons = { $count ->
    [one] Hier wird eine Person geführt. Was Sie lesen, wird festgehalten, und die Person kann es sehen.
   *[other] Hier werden { $count } Personen geführt. Was Sie lesen, wird festgehalten, und die Person kann es sehen.
}
own-purposes = Ihre Zwecke
own-none = Kein Zweck nennt Ihre Rolle. Zwecke legt die Datenschutzstelle fest.
find-person = Person suchen

## Protokoll
ledger-sentence = { $count ->
    [one] Das Protokoll hat einen Eintrag.
   *[other] Das Protokoll hat { $count } Einträge, { $provable } davon unter einem unterschriebenen Prüfpunkt.
}
ledger-nobody = Hier wird niemand genannt. Wer eine Person ist, steht unter ihrem eigenen Schlüssel und geht mit ihm, wenn sie gelöscht wird.
ledger-empty = Es wurde noch nichts geschrieben.
filter = Filter
filter-all = Alles
filter-event = Was geschah
filter-index = Nummer des Eintrags
filter-refused = Nur Abgelehntes
filter-go = Öffnen
filter-apply = Filtern
filter-clear = Filter aufheben
filter-none = Nichts passt dazu.
col-event = Was geschah
col-when = Wann
col-purpose = Zweck
col-recipient = Empfänger
col-persons = Personen
col-verdict = Ausgang
col-released = Herausgegebene Werte
col-refused = Abgelehnte Werte
col-categories = Kategorien
col-reason = Grund
entry-number = Eintrag { $index }
entries-shown = { $count ->
    [one] Ein Eintrag
   *[other] { $count } Einträge
}
entry-sentence = { $event }, { $when } UTC.
check-title = Selbst prüfen
check-how = Mit einer Kopie des Protokoll-Ordners und den öffentlichen Schlüsseln des Hauses, offline, auf jedem Rechner:
command = Befehl
check-keys = Öffentliche Schlüssel dieses Hauses
proof-title = Beweis
proof-what = Der Eintrag steht unter einem unterschriebenen Prüfpunkt. Der Beweis zeigt das jedem, offline.
proof-get = Beweis herunterladen
proof-later = Noch deckt kein Prüfpunkt diesen Eintrag. Das dauert ein, zwei Sekunden; öffnen Sie die Seite dann neu.

## Zwecke und Hinweise
purposes-sentence = { $count ->
    [one] Daten dürfen zu einem Zweck gelesen werden; { $consent ->
        [0] er beruht nicht auf Einwilligung.
       *[other] er beruht auf Einwilligung.
    }
   *[other] Daten dürfen zu { $count } Zwecken gelesen werden; { $consent ->
        [0] keiner davon beruht auf Einwilligung.
        [one] einer davon beruht auf Einwilligung.
       *[other] { $consent } davon beruhen auf Einwilligung.
    }
}
purposes-what = Ein Zugriff ohne Zweck wird abgelehnt. Was ein Zweck nicht nennt, wird nicht gezeigt.
purposes-title = Zwecke
purposes-none = Kein Zweck ist festgelegt. Niemand kann etwas lesen.
purpose-current = in Kraft
purpose-withdrawn = aufgehoben
purpose-on-consent = Er beruht auf der Einwilligung jeder Person: Ohne sie, oder nachdem die Person sie zurückgenommen hat, liest niemand.
purpose-on-law = Er braucht keine Einwilligung. Einschränkung oder Widerspruch einer Person können ihn trotzdem beenden.
purpose-clear = Wird offen gelesen
purpose-masked = Wird teilweise gelesen
purpose-marketing = Werbung
purpose-survives = Gilt auch bei Einschränkung weiter
purpose-name = Name in der API
col-basis = Rechtsgrundlage
col-special = Für besondere Kategorien
col-fields = Felder
col-roles = Rollen
col-state = Stand
yes = ja
no = nein
basis-consent = Einwilligung, Art. 6 Abs. 1 a DSGVO
basis-contract = Vertrag, Art. 6 Abs. 1 b DSGVO
basis-obligation = Rechtliche Pflicht, Art. 6 Abs. 1 c DSGVO
basis-vital = Lebenswichtige Interessen, Art. 6 Abs. 1 d DSGVO
basis-task = Öffentliche Aufgabe, Art. 6 Abs. 1 e DSGVO
basis-interests = Berechtigte Interessen, Art. 6 Abs. 1 f DSGVO
special-consent = Ausdrückliche Einwilligung, Art. 9 Abs. 2 a DSGVO
special-employment = Arbeits- und Sozialrecht, Art. 9 Abs. 2 b DSGVO
special-vital = Lebenswichtige Interessen, Art. 9 Abs. 2 c DSGVO
special-claims = Rechtsansprüche, Art. 9 Abs. 2 f DSGVO
special-interest = Erhebliches öffentliches Interesse, Art. 9 Abs. 2 g DSGVO
special-care = Medizin und Pflege, Art. 9 Abs. 2 h DSGVO
special-health = Öffentliche Gesundheit, Art. 9 Abs. 2 i DSGVO
special-research = Forschung und Statistik, Art. 9 Abs. 2 j DSGVO
notices-title = Hinweise
notices-none = Noch ist kein Hinweis geschrieben. Ohne ihn kann niemand um Einwilligung gebeten werden.
notice-sentence = „{ $name }“, wie Personen es sehen.
notice-version = { $version ->
    [one] Erste Fassung.
   *[other] Fassung { $version }.
}
col-notice = Hinweis
col-languages = Sprachen
col-versions = Fassungen

## Einwilligungen
consents-sentence = { $asked ->
    [0] Niemand wurde um Einwilligung gebeten.
    [one] Eine Einwilligung wurde angefragt; { $given } erteilt, { $withdrawn } zurückgenommen.
   *[other] { $asked } Einwilligungen wurden angefragt; { $given } erteilt, { $withdrawn } zurückgenommen.
}
consents-span = In den letzten { $days } Tagen, aus dem Protokoll gezählt. Wer es war, steht hier nicht.
consents-title = Von der Frage zur Antwort
consents-none = Es wurde nichts gefragt und nichts beantwortet.
consents-asked = Angefragt
consents-shown = Hinweis gezeigt
consents-given = Erteilt
consents-refused = Abgelehnt
consents-withdrawn = Zurückgenommen
consents-of-one = Die Einwilligungen einer Person
consents-of-one-how = Suchen Sie zuerst die Person. Was jemand gefragt wurde, sagt etwas über ihn; darum wird das Ansehen festgehalten.
consents-resting = Zwecke, die auf Einwilligung beruhen
consents-resting-none = Kein Zweck beruht auf Einwilligung.
consents-person = { $count ->
    [0] Diese Person wurde nie gefragt.
    [one] Diese Person wurde einmal gefragt; { $permitting ->
        [0] keine Einwilligung gilt.
       *[other] die Einwilligung gilt.
    }
   *[other] Diese Person wurde { $count }-mal gefragt; { $permitting ->
        [0] keine Einwilligung gilt.
        [one] eine Einwilligung gilt.
       *[other] { $permitting } gelten.
    }
}
consents-person-none = Es wurde um keine Einwilligung gebeten.
consent-event-request = Angefragt
consent-event-show = Hinweis gezeigt
consent-event-defer = Wird später entschieden
consent-event-give = Erteilt
consent-event-refuse = Abgelehnt
consent-event-withdraw = Zurückgenommen
consent-event-expire = Abgelaufen
consent-event-terminate = Vom Verantwortlichen beendet
consent-event-invalidate = Für ungültig befunden
until = bis { $date }
term-days = { $days ->
    [one] für einen Tag
   *[other] für { $days } Tage
}

## Personen
people-sentence = Wen suchen Sie?
people-recorded = Jede Suche und jeder Zugriff wird mit Ihrer Rolle, der Zeit und dem Zweck festgehalten, und die Person kann es sehen.
one-person = Person
find-ref = Kennung der Anwendung
find-by = Suchen nach
find-value = Gleich
find-value-hint = Der ganze Wert: Gesucht wird auf Gleichheit, in verschlüsselten Daten.
find-no-purpose = Keiner (nur für die Kennung)
find-purpose-hint = Ein Zweck, der das Feld nennt, nach dem Sie suchen.
find-nothing-indexed = Kein Feld lässt sich durchsuchen. Welche es sind, sagt der Katalog.
found = Gefunden
found-sentence = { $count ->
    [0] Niemand wurde gefunden.
   *[other] { $count } Personen wurden gefunden.
}
found-nobody = Oder niemand, den Sie finden dürfen: Von außen sieht beides gleich aus.
person-veiled = { $all ->
   *[other] { $seen } von { $all } Feldern sind offen. Wählen Sie einen Zweck, um zu lesen.
}
person-read = { $seen ->
    [0] Sie sehen keines von { $all } Feldern.
    [one] Sie sehen eines von { $all } Feldern dieser Person.
   *[other] Sie sehen { $seen } von { $all } Feldern dieser Person.
}
acting-as = Sie handeln als: { $role }
read-recorded = Dieser Zugriff ist Eintrag { $index } im Protokoll. Verlassen Sie die Seite, sind die Werte wieder verdeckt.
to-entry = Zum Eintrag
data-title = Daten
data-hatch = Schraffur: verschlüsselt, für Sie nicht geöffnet
data-none = Der Katalog nennt keine Felder.
no-value = nichts gespeichert
ask-title = Mit Zweck lesen
ask-no-purpose = Kein Zweck nennt Ihre Rolle.
ask-fields = Felder
ask-recorded = Der Zugriff wird festgehalten, bevor ein Wert gezeigt wird.
ask-read = Gewählte Felder lesen
mask-redact = bleibt verdeckt
mask-initials = nur die Anfangsbuchstaben
mask-last-four = nur die letzten Zeichen
mask-year = nur das Jahr
more-title = Mehr zu dieser Person
looked-recorded = Auch das Ansehen wird festgehalten.
accesses-title = Wer hat was gelesen
accesses-sentence = { $count ->
    [0] Die Daten dieser Person hat niemand angefasst.
    [one] Die Daten dieser Person wurden einmal angefasst; { $refused } abgelehnt.
   *[other] Die Daten dieser Person wurden { $count }-mal angefasst; { $refused } abgelehnt.
}
accesses-none = Es gibt keinen Eintrag.
accesses-more = Gezeigt werden die letzten { $count }.
actor-gone = nicht mehr bekannt: Dieser Teil des Eintrags wurde vernichtet

## Tor
gateway-none = In diesem Haus läuft kein Tor.
gateway-none-what = Die Anwendung speichert und liest allein über die API. Ein Tor wird mit [gateway] in obhut.toml eingerichtet.
gateway-sentence = { $routes ->
    [one] Das Tor bewacht eine Route; { $places ->
        [0] nichts geht ungeschützt hindurch.
        [one] eine Stelle ist ungeschützt.
       *[other] { $places } Stellen sind ungeschützt.
    }
   *[other] Das Tor bewacht { $routes } Routen; { $places ->
        [0] nichts geht ungeschützt hindurch.
        [one] eine Stelle ist ungeschützt.
       *[other] { $places } Stellen sind ungeschützt.
    }
}
gateway-since = Gezählt seit dem Start, unter
gateway-shown = offen gezeigte Werte
gateway-masked = verdeckte Werte
gateway-foreign = Token von Clients
gateway-refused = abgelehnte Anfragen
not-protected = zum Teil ungeschützt
routes-title = Routen und Regeln
routes-none = Keine Route ist festgelegt; alles geht hindurch, wie es ist.
all-methods = alle Methoden
col-route = Route
col-takes = Nimmt auf
col-shows = Zeigt
col-shown = Gezeigt
col-masked = Verdeckt
col-answers = Antworten
col-what = Was
leaks-title = Persönliches, wo keine Regel es erwartet
leaks-none = Es wurde nichts gesehen.
token-unruled = Token ohne Regel
refusals-title = Abgelehnt, und Ärger mit der Anwendung
refusals-none = Es wurde nichts abgelehnt.
token-from-client = Token von einem Client
counted-others = übrige

## Einstellungen
settings-sentence = { $keys ->
    [one] Ein Schlüssel ist in Gebrauch, und { $sessions ->
        [one] eine Sitzung ist offen.
       *[other] { $sessions } Sitzungen sind offen.
    }
   *[other] { $keys } Schlüssel sind in Gebrauch, und { $sessions ->
        [one] eine Sitzung ist offen.
       *[other] { $sessions } Sitzungen sind offen.
    }
}
settings-epochs = { $count ->
    [one] Eine Schlüsselwoche lebt.
   *[other] { $count } Schlüsselwochen leben.
}
keys-title = Wer handeln darf
keys-none = Kein Schlüssel, kein Link und keine Sitzung ist in Gebrauch.
keys-shown = { $count ->
    [one] Eine Zeile
   *[other] { $count } Zeilen
}
keys-find = Teil des Namens oder die Kennung
keys-all = Auch Beendete zeigen
keys-active = Nur zeigen, was in Gebrauch ist
col-name = Name
col-kind = Art
col-role = Rolle
col-ends = Endet
no-name = ohne Namen
never = nie
credential-key = API-Schlüssel
credential-viewer = Nutzer der Anwendung
credential-link = Anmelde-Link
credential-session = Sitzung
key-revoked = gesperrt
key-expired = abgelaufen
revoke = Sperren
revoke-sentence = „{ $name }“ ({ $kind }) sperren?
revoke-what = Ab dann wird das nirgends mehr angenommen. Das lässt sich nicht zurücknehmen; Sie können etwas Neues ausgeben.
done-key-revoked = Gesperrt. Es wird nirgends mehr angenommen. War das ein Versehen, geben Sie etwas Neues aus.
issue-key = Schlüssel ausgeben
issue-key-sentence = Einen Schlüssel für ein Programm ausgeben.
issue-key-what = Ein Schlüssel gehört zu einem Programm und einer Rolle. Er wird einmal gezeigt.
issue-link = Anmelde-Link ausgeben
issue-link-sentence = Jemanden zu diesen Seiten einlassen.
issue-link-what = Ein Link meldet einmal an, in einer Rolle. Er wird einmal gezeigt; übergeben Sie ihn auf einem Weg, dem Sie trauen.
order-name = Name
order-name-hint = Personen sehen ihn in der Liste, wer was gelesen hat.
order-role = Rolle
order-subject = Person
order-subject-hint = Nur für die Rolle Person: die Kennung, per_…
order-days = Gilt so viele Tage
order-days-hint = Leer: bis er gesperrt wird.
order-days-link = Höchstens 7.
order-zone = Nur aus diesen Netzen
order-zone-hint = Wie 10.0.0.0/8; leer: von überall.
wrong-bad-name = Geben Sie einen Namen mit höchstens 200 Bytes ein.
wrong-bad-role = Wählen Sie eine der Rollen.
wrong-bad-subject = Die Rolle Person braucht die Kennung einer Person; keine andere darf eine haben.
wrong-bad-expiry = Geben Sie eine Zahl von Tagen ein, für einen Link höchstens 7.
wrong-bad-zone = Geben Sie Netze wie 10.0.0.0/8 ein, höchstens 50.
form-look = Ausgegeben wurde nichts. Sehen Sie nach dem markierten Feld.
back = Zurück
back-to-settings = Zurück zu den Einstellungen
once-key = Der Schlüssel ist ausgegeben.
once-key-what = Kopieren Sie ihn jetzt. Er wird nur dieses eine Mal gezeigt und nirgends gespeichert.
once-link = Der Link ist ausgegeben.
once-link-what = Kopieren Sie ihn jetzt. Er wird nur dieses eine Mal gezeigt, nirgends gespeichert und gilt einmal.
once-principal = Die Kennung zum Sperren:
epochs-title = Schlüsselwochen
epochs-what = Jede Woche hat einen Schlüssel, unter dem die Schlüssel der Personen liegen. Ist ein alter vernichtet, öffnet sich keine Kopie und keine Sicherung aus jener Woche mehr.
epochs-none = Es gibt noch keine Schlüsselwoche.
epoch-current = diese Woche
epoch-kept = bis niemand mehr daran hängt
epoch-destroyed = vernichtet am { $when }
col-week = Woche
col-made = Angelegt
networks-title = Haus und Netze
networks-ledger = Darf die öffentlichen Dateien des Protokolls ohne Schlüssel lesen
networks-nobody = niemand
networks-where = Das steht in obhut.toml und bei den Netzen jedes Schlüssels.
tenant-id = Mandant
ledger-origin = Protokoll
