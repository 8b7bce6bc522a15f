# What somebody reads whose request was stopped. Calm and short: most of them attack nobody.
shield-reference = Reference { $reference }
shield-code = { $code }

shield-request-refused-title = This request was not passed on
shield-request-refused = Something in it looks like an attack on the application. If it is none, tell the operator the reference below: with it, the reason can be found. Nothing was changed.

shield-too-large-to-inspect-title = This request is too large
shield-too-large-to-inspect = It is larger than can be inspected here, and was not passed on. Send less at once. Nothing was changed.

shield-too-much-to-inspect-title = This request has too many parts
shield-too-much-to-inspect = It has more fields, parts or levels than are inspected here, and was not passed on. Send less at once. Nothing was changed.

shield-body-encoded-title = This request cannot be read
shield-body-encoded = It is encoded in a way that cannot be inspected, and was not passed on. Nothing was changed.

shield-answer-refused-title = The answer was held back
shield-answer-refused = It held something that must not leave the application, such as the text of a fault. If you sent something, look whether it was carried out before you send it again.

shield-shield-unavailable-title = Not at present
shield-shield-unavailable = It could not be inspected, and what is not inspected does not pass. Try again in a moment.
