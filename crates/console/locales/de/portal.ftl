# Pages of a person.
my-asks = Wer fragt
my-reads = Wer hat was gelesen
my-data = Meine Daten
my-consents = Meine Einwilligungen
my-copy = Mitnehmen
my-erase = Löschen

field-name = Name
field-first_name = Vorname
field-last_name = Nachname
field-email = E-Mail
field-phone = Telefon
field-address = Anschrift
field-birth_date = Geburtsdatum
field-emergency_contact = Notfallkontakt
field-health_note = Angabe zur Gesundheit
field-iban = Bankverbindung

asks-sentence = { $count ->
    [0] Zurzeit fragt niemand nach Ihren Daten.
    [one] Jemand fragt, ob er Daten von Ihnen lesen darf.
   *[other] { $count } Anfragen warten auf Ihre Antwort.
}
asks-what = Solange Sie nicht geantwortet haben, liest niemand etwas dafür. Sie müssen nicht antworten.
asks-none = Keine Anfrage ist offen.
asks-none-next = Sehen, wer etwas gelesen hat
ask-who = { $who } möchte Daten von Ihnen lesen.
ask-since = Gefragt am { $date }.
ask-open = Anfrage ansehen
ask-sentence = { $who } möchte Daten von Ihnen lesen: { $purpose }.
ask-free = Sie entscheiden frei.
ask-free-why = Sie können jetzt antworten, später oder gar nicht, und ein Ja jederzeit zurücknehmen.
ask-notice = Der Hinweis dazu
ask-term = Wie lange?
ask-term-hint = Am kürzesten ist voreingestellt. Danach liest niemand mehr, auch ohne dass Sie etwas tun.
ask-term-asked = wie angefragt
ask-then = Gilt Ihr Ja, dürfen nur die Genannten lesen. Sie nehmen es mit einem Klick zurück.
ask-yes = Ja, erlauben
ask-no = Nein, ablehnen
ask-later = Später entscheiden
know-title = Gut zu wissen
know-who = Wer liest
know-what = Was
know-masked = Nur in Teilen
know-each = Jedes Lesen
know-each-what = steht sofort unter
know-back = Zurücknehmen
know-back-what = jederzeit mit einem Klick. Es gilt sofort.

done-consent-given = Ihre Erlaubnis gilt. Sie können sie hier jederzeit zurücknehmen.
done-consent-refused = Sie haben abgelehnt. Niemand liest etwas dafür.
done-consent-withdrawn = Ihre Erlaubnis ist zurückgenommen. Das gilt ab sofort.

my-consents-sentence = { $count ->
    [0] Zurzeit gilt keine Erlaubnis von Ihnen.
    [one] Eine Erlaubnis von Ihnen gilt.
   *[other] { $count } Erlaubnisse von Ihnen gelten.
}
my-consents-what = Was Sie zurücknehmen, gilt ab diesem Augenblick nicht mehr.
my-consents-none = Sie wurden noch nie um eine Erlaubnis gebeten.
consent-for = Lesen darf: { $who }.
consent-until = Gilt bis { $date }.
consent-take-back = Erlaubnis zurücknehmen
consent-decide = Ansehen und entscheiden
consent-history = Was bisher geschah

data-sentence = { $count ->
    [0] Wir bewahren keine Angabe von Ihnen auf.
    [one] Wir bewahren eine Angabe von Ihnen auf.
   *[other] Wir bewahren { $count } Angaben von Ihnen auf.
}
data-what = Hier stehen sie offen, für Sie allein. Dass Sie sie angesehen haben, ist festgehalten.
data-nothing = Es ist nichts gespeichert.
data-special = besonders geschützt
data-left-out = Nicht gezeigt wird, was von anderen Menschen handelt: { $fields }. Fragen Sie dazu Ihre Datenschutzstelle.

copy-sentence = Nehmen Sie Ihre Daten mit.
copy-what = Sie bekommen alles, was wir von Ihnen aufbewahren, als eine Datei, die auch andere Programme lesen.
copy-values = Angaben
copy-consents = mit allem, was dazu geschah
copy-form = Form
copy-form-what = JSON, eine Datei
copy-get = Datei laden
copy-careful = Die Datei ist nicht verschlüsselt; legen Sie sie gut ab. Dass Sie sie geladen haben, steht unter

reads-sentence = { $refused ->
    [0] { $count ->
        [0] Niemand hat Ihre Daten gelesen.
        [one] Ihre Daten wurden einmal gelesen. Abgelehnt wurde nichts.
       *[other] Ihre Daten wurden { $count }-mal gelesen. Abgelehnt wurde nichts.
    }
    [one] { $count ->
        [0] Niemand hat Ihre Daten gelesen. Ein Versuch wurde abgelehnt.
        [one] Ihre Daten wurden einmal gelesen. Ein Versuch wurde abgelehnt.
       *[other] Ihre Daten wurden { $count }-mal gelesen. Ein Versuch wurde abgelehnt.
    }
   *[other] { $count ->
        [0] Niemand hat Ihre Daten gelesen. { $refused } Versuche wurden abgelehnt.
        [one] Ihre Daten wurden einmal gelesen. { $refused } Versuche wurden abgelehnt.
       *[other] Ihre Daten wurden { $count }-mal gelesen. { $refused } Versuche wurden abgelehnt.
    }
}
reads-nobody = Es gibt noch keinen Eintrag.
reads-more = Gezeigt werden die letzten { $count } Einträge.
reads-own = { $count ->
    [one] Einmal haben Sie selbst hier nachgesehen; das ist nicht aufgeführt.
   *[other] { $count }-mal haben Sie selbst hier nachgesehen; das ist nicht aufgeführt.
}
reads-you = Sie selbst
reads-clear = las: { $fields }
reads-partly = sah zum Teil: { $fields }
reads-masked = sah verdeckt: { $fields }
reads-refused = wollte lesen und bekam nicht: { $fields }
reads-why = Wozu: { $purpose }
reads-proof = Beweis zu Eintrag { $index }
reads-summary = Zusammengefasst
reads-times = { $count ->
    [one] 1-mal
   *[other] { $count }-mal
}
reads-keys = Ein Schlüssel oder Anmelde-Link für Sie wurde ausgegeben oder beendet
reads-check = Selbst prüfen
reads-check-how = Laden Sie den Beweis eines Eintrags und die öffentlichen Schlüssel, die Ihre Datenschutzstelle nennt. Das Programm prüft auf Ihrem Rechner, ohne Internet und ohne unser Zutun.

erase-sentence = Sie können alles löschen lassen, was wir von Ihnen aufbewahren.
erase-what = Was einmal gelöscht ist, holt niemand zurück, auch wir nicht. Lesen Sie zuerst, was dann geschieht.
erase-then = Was dann geschieht
erase-at-once = Sofort: Niemand liest Ihre Daten mehr
erase-at-once-what = Ihr Schlüssel wird vernichtet. Ohne ihn sind die gespeicherten Angaben nur noch Zufallszeichen. Alle Erlaubnisse enden.
erase-minute = Kurz danach: Die Reste werden entfernt
erase-minute-what = Auch die verschlüsselten Angaben verschwinden. Im Protokoll bleibt, dass gelöscht wurde, ohne zu verraten, wer Sie sind.
erase-copies = Später: Auch keine Sicherungskopie lässt sich mehr öffnen
erase-copies-what = Den spätesten Tag nennt Ihre Bescheinigung.
erase-final = Das lässt sich nicht rückgängig machen. Danach können Sie sich hier nicht mehr anmelden. Ihr Konto in der Anwendung bleibt bestehen, Ihre Angaben darin sind leer.
erase-first = Möchten Sie vorher eine Kopie?
erase-do = Alle meine Daten löschen
erase-back = Nicht löschen
erased-title = Löschbescheinigung
erased-sentence = Ihre Daten sind gelöscht.
erased-what = Niemand kann sie mehr lesen, auch wir nicht. Laden Sie die Bescheinigung jetzt: Sie beweist die Löschung, ohne etwas über Sie zu verraten, und diese Seite kommt nicht wieder.
erased-signed = signiert
erased-number = Nummer
erased-when = Gelöscht
erased-how = Wie
erased-how-what = Ihr Schlüssel wurde vernichtet. Ohne ihn sind die gespeicherten Angaben Zufallszeichen.
erased-complete = Auch in Kopien vernichtet
erased-complete-by = Auch in Kopien spätestens
erased-entry = Eintrag im Protokoll
erased-kept = Bleibt
erased-get = Bescheinigung laden
erased-check = Das Programm prüft die Bescheinigung auf Ihrem Rechner, ohne Internet und ohne unser Zutun.
erased-later = Die Bescheinigung ist noch nicht unterschrieben, weil das Protokoll gerade nicht antwortet. Gelöscht ist trotzdem. Ihre Datenschutzstelle gibt sie Ihnen zu dieser Nummer.
