# Was jemand liest, dessen Anfrage aufgehalten wurde. Ruhig und kurz: Die meisten greifen niemanden an.
shield-reference = Kennung { $reference }
shield-code = { $code }

shield-request-refused-title = Diese Anfrage wurde nicht weitergegeben
shield-request-refused = Etwas darin sieht aus wie ein Angriff auf die Anwendung. Wenn es keiner ist, nennen Sie dem Betreiber die Kennung unten: Damit lässt sich der Grund finden. Es wurde nichts geändert.

shield-too-large-to-inspect-title = Diese Anfrage ist zu groß
shield-too-large-to-inspect = Sie ist größer, als hier geprüft werden kann, und wurde nicht weitergegeben. Senden Sie weniger auf einmal. Es wurde nichts geändert.

shield-too-much-to-inspect-title = Diese Anfrage hat zu viele Teile
shield-too-much-to-inspect = Sie hat mehr Felder, Teile oder Ebenen, als hier geprüft werden, und wurde nicht weitergegeben. Senden Sie weniger auf einmal. Es wurde nichts geändert.

shield-body-encoded-title = Diese Anfrage ist nicht lesbar
shield-body-encoded = Sie ist so verpackt, dass sie nicht geprüft werden kann, und wurde nicht weitergegeben. Es wurde nichts geändert.

shield-answer-refused-title = Die Antwort wurde zurückgehalten
shield-answer-refused = Sie enthielt etwas, das die Anwendung nicht verlassen darf, etwa den Text eines Fehlers. Wenn Sie etwas gesendet haben, sehen Sie nach, ob es ausgeführt wurde, bevor Sie es noch einmal senden.

shield-shield-unavailable-title = Im Augenblick nicht
shield-shield-unavailable = Es ließ sich nicht prüfen, und was nicht geprüft ist, geht nicht durch. Versuchen Sie es gleich noch einmal.
