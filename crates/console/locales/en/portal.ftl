# Pages of a person.
my-asks = Who asks
my-reads = Who read what
my-data = My data
my-consents = My consents
my-copy = Take it with me
my-erase = Erase

field-name = Name
field-first_name = First name
field-last_name = Last name
field-email = E-mail
field-phone = Phone
field-address = Address
field-birth_date = Date of birth
field-emergency_contact = Emergency contact
field-health_note = Health note
field-iban = Bank account

asks-sentence = { $count ->
    [0] Nobody asks for your data at present.
    [one] Somebody asks whether they may read data of yours.
   *[other] { $count } requests wait for your answer.
}
asks-what = Until you have answered, nobody reads anything for it. You need not answer.
asks-none = No request is open.
asks-none-next = See who read something
ask-who = { $who } would like to read data of yours.
ask-since = Asked on { $date }.
ask-open = See the request
ask-sentence = { $who } would like to read data of yours: { $purpose }.
ask-free = You decide freely.
ask-free-why = You can answer now, later or not at all, and take a yes back at any time.
ask-notice = The notice about it
ask-term = For how long?
ask-term-hint = The shortest is chosen already. After that nobody reads any more, without you doing anything.
ask-term-asked = as asked for
ask-then = With your yes, only those named may read. You take it back with one press.
ask-yes = Yes, allow
ask-no = No, refuse
ask-later = Decide later
know-title = Good to know
know-who = Who reads
know-what = What
know-masked = Only in part
know-each = Each reading
know-each-what = stands at once under
know-back = Taking back
know-back-what = at any time with one press. It holds at once.

done-consent-given = Your permission holds. You can take it back here at any time.
done-consent-refused = You refused. Nobody reads anything for it.
done-consent-withdrawn = Your permission is taken back. That holds from now on.

my-consents-sentence = { $count ->
    [0] No permission of yours holds at present.
    [one] One permission of yours holds.
   *[other] { $count } permissions of yours hold.
}
my-consents-what = What you take back no longer holds from that moment on.
my-consents-none = You have never been asked for a permission.
consent-for = May read: { $who }.
consent-until = Holds until { $date }.
consent-take-back = Take the permission back
consent-decide = See and decide
consent-history = What happened so far

data-sentence = { $count ->
    [0] We keep nothing about you.
    [one] We keep one detail about you.
   *[other] We keep { $count } details about you.
}
data-what = Here they stand in clear, for you alone. That you looked at them is recorded.
data-nothing = Nothing is stored.
data-special = specially protected
data-left-out = Not shown is what is about other people: { $fields }. Ask your privacy office about it.

copy-sentence = Take your data with you.
copy-what = You get everything that we keep about you as one file, which other programs can read too.
copy-values = Details
copy-consents = with all that happened to them
copy-form = Form
copy-form-what = JSON, one file
copy-get = Get the file
copy-careful = The file is not encrypted; keep it in a safe place. That you took it stands under

reads-sentence = { $refused ->
    [0] { $count ->
        [0] Nobody has read your data.
        [one] Your data were read once. Nothing was refused.
       *[other] Your data were read { $count } times. Nothing was refused.
    }
    [one] { $count ->
        [0] Nobody has read your data. One attempt was refused.
        [one] Your data were read once. One attempt was refused.
       *[other] Your data were read { $count } times. One attempt was refused.
    }
   *[other] { $count ->
        [0] Nobody has read your data. { $refused } attempts were refused.
        [one] Your data were read once. { $refused } attempts were refused.
       *[other] Your data were read { $count } times. { $refused } attempts were refused.
    }
}
reads-nobody = There is no entry yet.
reads-more = Shown are the latest { $count } entries.
reads-own = { $count ->
    [one] Once you looked here yourself; that is not listed.
   *[other] { $count } times you looked here yourself; that is not listed.
}
reads-you = You yourself
reads-clear = read: { $fields }
reads-partly = saw in part: { $fields }
reads-masked = saw masked: { $fields }
reads-refused = wanted to read and did not get: { $fields }
reads-why = What for: { $purpose }
reads-proof = Proof of entry { $index }
reads-summary = Summed up
reads-times = { $count ->
    [one] once
   *[other] { $count } times
}
reads-keys = A key or sign-in link for you was issued or ended
reads-check = Check it yourself
reads-check-how = Get the proof of an entry, and the public keys that your privacy office names. The program checks on your own computer, without the internet and without us.

erase-sentence = You can have everything erased that we keep about you.
erase-what = What is erased nobody brings back, not even we. Read first what happens then.
erase-then = What happens then
erase-at-once = At once: nobody reads your data any more
erase-at-once-what = Your key is destroyed. Without it the stored details are random characters. All permissions end.
erase-minute = Shortly after: what is left is removed
erase-minute-what = The encrypted details vanish as well. The record keeps that something was erased, without telling who you are.
erase-copies = Later: no backup copy opens any more either
erase-copies-what = Your certificate names the latest day.
erase-final = This cannot be undone. Afterwards you cannot sign in here any more. Your account in the application stays, with your details in it empty.
erase-first = Would you like a copy before?
erase-do = Erase all my data
erase-back = Do not erase
erased-title = Certificate of erasure
erased-sentence = Your data are erased.
erased-what = Nobody can read them any more, not even we. Get the certificate now: it proves the erasure without telling anything about you, and this page does not come back.
erased-signed = signed
erased-number = Number
erased-when = Erased
erased-how = How
erased-how-what = Your key was destroyed. Without it the stored details are random characters.
erased-complete = Destroyed in copies too
erased-complete-by = In copies too, at the latest
erased-entry = Entry in the record
erased-kept = Stays
erased-get = Get the certificate
erased-check = The program checks the certificate on your own computer, without the internet and without us.
erased-later = The certificate is not signed yet, since the record does not answer at present. Your data are erased all the same. Your privacy office gives it to you for this number.
