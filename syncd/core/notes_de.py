"""German words for the notes that syncd writes.

No line may hold a hand-off phrase outside of `$phrase` and `$written`, which are shown as code.
"""

from __future__ import annotations

from syncd.core.attachment import AttachmentReason
from syncd.core.model import Role
from syncd.core.wording import NoteKind, Wording

GERMAN = Wording(
    notes={
        NoteKind.CONTEXT: """\
Angaben zu diesem Ticket bei $platform
$rows
Stand: $as_of. Spätere Änderungen erscheinen hier nicht.
Das Ticket bei $platform: $url""",
        NoteKind.DIGEST: """\
Frühere Kommentare zu diesem Ticket ($count)
Sie wurden bei $platform geschrieben, bevor das Ticket hierher kam. Der älteste steht zuerst, \
jeder mit Verfasser, Zeitpunkt und der Angabe, wer ihn lesen konnte.
Die Anhänge liegen im Ticket bei $platform: $url""",
        NoteKind.HAND_OFF_ORDERED: """\
Dieses Ticket geht von $partner an $platform zurück.
$who hat es übergeben ($at).
Der Kommentar mit der Übergabe bleibt bei $partner, wie die privaten Kommentare dort überhaupt.""",
        NoteKind.HANDED: """\
Dieses Ticket liegt jetzt bei $platform.
$who hat es übergeben ($at), und $platform hat die Übernahme bestätigt.
Mitgegangene Kommentare: $count.
Der Kommentar mit der Übergabe: $comment.
Bitte lassen Sie das Ticket offen, bis $platform es gelöst hat. Kommentare gehen weiterhin in \
beide Richtungen.""",
        NoteKind.RESUMED: """\
Dieses Ticket liegt wieder bei $partner.
$platform hat es erneut eskaliert ($at).
Eskaliert von: $who.
Die nächste Antwort an die Kundschaft kommt von $partner.""",
        NoteKind.RESUMED_CLOSED: """\
Dieses Ticket wurde geschlossen an $partner zurückgegeben.
Es kam in die Ansicht von $partner ($at). Die Kopie dort ist ebenfalls geschlossen, und niemand \
wird dort zum Handeln aufgefordert.
Soll $partner daran weiterarbeiten, öffnen Sie dieses Ticket wieder.""",
        NoteKind.WITHDRAWN: """\
$platform hat dieses Ticket übernommen.
Es wurde aus der Ansicht von $partner genommen ($at), ohne dass $partner es übergeben hatte.
Übernommen von: $who.
Von jetzt an antwortet $platform.""",
        NoteKind.ENDED: """\
Diese Kopie des Tickets wird nicht mehr aktualisiert.
$platform hat das Ticket an einen anderen Partner weitergegeben ($at). Was ab jetzt hier \
geschrieben wird, bleibt hier, und Neues kommt nicht mehr an.
Sie können dieses Ticket schließen.""",
        NoteKind.ALREADY_WITH_PLATFORM: """\
Dieses Ticket lag schon bei $platform.
Es liegt dort seit $since; die zweite Übergabe hat deshalb nichts geändert.
Ihr Kommentar wurde an $reader weitergeleitet.""",
        NoteKind.NEAR_MISS: """\
Dieses Ticket ist nicht an $platform gegangen.
Ihr Kommentar kommt dem Wortlaut für die Übergabe nahe, aber dieser steht nicht allein in einer \
Zeile.
Zum Übergeben schreiben Sie bitte einen neuen privaten Kommentar, in dem $phrase allein in einer \
Zeile steht. Eine Erklärung darf darüber oder darunter stehen.
Wenn Sie das Ticket nicht übergeben wollten, müssen Sie nichts tun.""",
        NoteKind.UNLISTED: """\
Dieses Ticket ist nicht an $platform gegangen.
$written ist hier nicht als Wortlaut für die Übergabe eingerichtet.
Zum Übergeben schreiben Sie bitte einen neuen privaten Kommentar, in dem $phrase allein in einer \
Zeile steht.
Wer die Verbindung zu $platform betreibt, kann Ihren Wortlaut aufnehmen.""",
        NoteKind.PUBLIC_PHRASE_HELD: """\
Dieses Ticket ist nicht an $platform gegangen, und Ihr öffentlicher Kommentar wird zurückgehalten.
$phrase wirkt nur in einem privaten Kommentar. Ihrer enthält sonst nichts und wurde deshalb nicht \
weitergeleitet.
Stellen Sie diesen Kommentar bitte zuerst auf privat. Bis dahin, oder bis ihn der Betreiber der \
Verbindung freigibt, warten auch alle späteren Kommentare von hier.
Zum Übergeben schreiben Sie danach einen neuen privaten Kommentar, in dem $phrase allein in einer \
Zeile steht.""",
        NoteKind.PUBLIC_PHRASE_SENT: """\
Dieses Ticket ist nicht an $platform gegangen.
$phrase wirkt nur in einem privaten Kommentar. Ihr öffentlicher Kommentar wurde unverändert \
weitergeleitet; die Zeile ist also für die Kundschaft lesbar.
Zum Übergeben schreiben Sie bitte einen neuen privaten Kommentar, in dem $phrase allein in einer \
Zeile steht.""",
        NoteKind.MADE_PRIVATE: """\
Dieses Ticket ist nicht an $platform gegangen.
Ihr Kommentar mit $phrase ist jetzt privat, doch nur ein Kommentar, der von Anfang an privat war, \
übergibt ein Ticket.
Zum Übergeben schreiben Sie bitte einen neuen privaten Kommentar, in dem $phrase allein in einer \
Zeile steht.""",
        NoteKind.REFUSED_CLOSED: """\
Dieses Ticket kann nicht an $platform gehen, weil es dort geschlossen ist.
Bitten Sie $platform, es wieder zu öffnen, oder lassen Sie bei $platform ein neues Ticket anlegen.
Das Ticket bei $platform: $url""",
        NoteKind.HAND_OFF_LATE: """\
$platform hat die Übernahme dieses Tickets noch nicht bestätigt.
Seit der Übergabe sind mehr als $minutes Min. vergangen.
Zeitpunkt der Übergabe: $at.
Bis hier eine Bestätigung erscheint, betrachten Sie das Ticket bitte als Ihres. Die Übergabe wird \
weiter versucht.
Wenn es eilt, wenden Sie sich bitte direkt an $platform: $url""",
        NoteKind.STAY_OPEN: """\
Dieses Ticket wurde wieder auf offen gesetzt.
Es liegt bei $platform und bleibt auf beiden Seiten offen, bis $platform es gelöst hat. Der Status \
„$status“ wurde nicht weitergegeben.
Sie müssen nichts tun, bis $platform das Ticket löst oder es Ihnen wieder gibt.""",
        NoteKind.CLOSE_GUARD: """\
Dieses Ticket wartet auf die Kundschaft, statt geschlossen zu werden.
Antwort und Schließen kamen in einem Schritt; die Kundschaft soll aber auf die Antwort noch \
reagieren können.
Zum Schließen ändern Sie den Status bitte später, ohne öffentlichen Kommentar im selben Schritt.""",
        NoteKind.UNREAD_MESSAGE: """\
Die Kundschaft hatte geschrieben, bevor dieser Status gesetzt wurde; die Nachricht war noch nicht \
hier.
Das Ticket ist „$kept“ statt „$status“, damit sie jemand liest.
Wenn nichts zu tun ist, setzen Sie den Status bitte noch einmal.""",
        NoteKind.STATUS_CONFLICT: """\
Beide Seiten haben den Status gleichzeitig geändert.
$platform hat „$platform_status“ gewählt, $partner hat „$partner_status“ gewählt. Es gilt jetzt \
„$kept“.
Wenn das nicht stimmt, setzen Sie den Status bitte noch einmal.""",
        NoteKind.STATUS_REFUSED: """\
Der Status ist noch nicht auf beiden Seiten gleich.
$desk hat den Status „$status“ nicht angenommen.
Dort muss zuerst ausgefüllt sein: $fields.
Kommentare und Tags kommen weiterhin an. Der Status wird wieder versucht, sobald jemand das Ticket \
bei $desk ändert.
Das Ticket bei $desk: $url""",
        NoteKind.HISTORIC: """\
Eine alte Bitte um Übergabe dieses Tickets wurde gefunden und nicht ausgeführt.
Im Kommentar vom $at steht $phrase. Er gehört zum älteren Verlauf, aus dem nichts mehr \
ausgeführt wird.
Das Ticket liegt jetzt bei $owner.
Wenn es heute an $platform gehen soll, schreiben Sie bitte einen neuen privaten Kommentar, in dem \
$phrase allein in einer Zeile steht.""",
        NoteKind.TAG_UNHELD: """\
Das Tag „$tag“ bleibt auf dieser Seite.
$desk kann ein Tag dieser Form nicht führen.
Wenn es auf beiden Seiten stehen soll, verwenden Sie bitte nur Kleinbuchstaben, Ziffern, Binde- \
und Unterstriche.""",
        NoteKind.COMMENT_EDITED: """\
Ein Kommentar wurde bei $desk bearbeitet.
Es geht um den Kommentar von $author vom $at. Die Kopie hier lässt sich nicht ändern und zeigt \
noch den alten Text.
Der neue Text: $text
Das Ticket bei $desk: $url""",
        NoteKind.COMMENT_REDACTED: """\
In einem Kommentar wurde bei $desk etwas unkenntlich gemacht.
Es geht um den Kommentar von $author vom $at. Die Kopie hier blieb unverändert und enthält \
womöglich noch, was entfernt wurde.
Bitte machen Sie es auch hier unkenntlich.
Das Ticket bei $desk: $url""",
        NoteKind.COMMENT_MADE_PRIVATE: """\
Ein Kommentar wurde bei $desk auf privat gestellt.
Es geht um den Kommentar von $author vom $at. Die Kopie hier ist noch öffentlich und ließ sich \
nicht ändern.
Bitte stellen Sie sie auch hier auf privat, wenn dieses System es zulässt. Wer benachrichtigt \
wurde, hat sie vielleicht schon gelesen.
Das Ticket bei $desk: $url""",
        NoteKind.TICKET_DELETED: """\
Die andere Kopie dieses Tickets wurde bei $desk gelöscht.
Hier wurde nichts gelöscht. Solange sie dort nicht wiederhergestellt ist, gelangt nichts, was hier \
geschrieben wird, zu $desk, und von dort kommt nichts.""",
        NoteKind.TICKET_RESTORED: """\
Die andere Kopie dieses Tickets ist bei $desk wieder da.
Kommentare gehen wieder in beide Richtungen, auch die inzwischen geschriebenen.""",
        NoteKind.TICKET_MERGED: """\
Dieses Gespräch geht bei $desk in einem anderen Ticket weiter.
Das Ticket wurde dort mit einem desselben Kunden zusammengeführt. Was in jenem vorher geschrieben \
wurde, bleibt dort; was von nun an geschrieben wird, wird weitergegeben.
Das Ticket bei $desk: $url""",
        NoteKind.MERGE_NOT_FOLLOWED: """\
Die andere Kopie dieses Tickets wurde bei $desk mit einem anderen Ticket zusammengeführt und wird \
dort nicht weiterverfolgt.
Die beiden könnten verschiedenen Kunden gehören. Bis jemand nachgesehen hat, gelangt nichts, was \
hier geschrieben wird, zu $desk, und von dort kommt nichts.
Das Ticket, mit dem sie zusammengeführt wurde: $url""",
        NoteKind.FOLLOW_UP: """\
Ein geschlossenes Ticket geht hier weiter.
Seine Kopie bei $platform wurde wieder auf „$status“ gesetzt.
Das geschlossene Ticket: $url""",
        NoteKind.FOLLOW_UP_NOT_FOLLOWED: """\
Bei $desk wurde eine Fortsetzung dieses Gesprächs eröffnet, die nicht weiterverfolgt wird.
Sie könnte einem anderen Kunden gehören, oder sie läuft neben einer anderen Fortsetzung her. Was \
darin geschrieben wird, kommt nicht hierher.
Die Fortsetzung: $url""",
    },
    roles={
        Role.CUSTOMER: "Kunde",
        Role.AGENT: "Agent",
        Role.ADMIN: "Agent",
        Role.LIGHT_AGENT: "Agent",
        Role.STAFF: "Plattform-Team",
        Role.PARTNER: "Partner",
        Role.SYSTEM: "System",
    },
    nameless="Name unbekannt",
    attribution="$author ($role), $at",
    attribution_without_role="$author, $at",
    attachment="Anhang: $name ($size). $reason",
    attachment_link="Dort öffnen: $url",
    attachment_reasons={
        AttachmentReason.NOT_CARRIED: (
            "Dateien werden nicht übertragen; diese liegt im ursprünglichen Ticket."
        ),
        AttachmentReason.TOO_LARGE: "Die Datei ist zu groß, um übertragen zu werden.",
        AttachmentReason.TYPE: "Dateien dieses Typs werden nicht übertragen.",
        AttachmentReason.TOO_MANY: "So viele Dateien fasst ein Kommentar hier nicht.",
        AttachmentReason.INFECTED: "In der Datei wurde Schadsoftware gefunden.",
        AttachmentReason.UNSCANNED: "Die Datei ließ sich nicht auf Schadsoftware prüfen.",
        AttachmentReason.REFUSED: "Dieses System hat die Datei nicht angenommen.",
        AttachmentReason.GONE: "Die Datei wurde im ursprünglichen Ticket gelöscht.",
        AttachmentReason.UNREACHABLE: (
            "Die Datei ließ sich aus dem ursprünglichen Ticket nicht abrufen."
        ),
        AttachmentReason.SCANNING: (
            "Die Datei wird auf Schadsoftware geprüft und kommt von selbst nach."
        ),
        AttachmentReason.FOLLOWS: (
            "Die Datei ließ sich gerade nicht übertragen und kommt von selbst nach."
        ),
    },
    attachment_late="Anhang: $name ($size)",
    attachment_of="Gehört zum Kommentar von $name, $at.",
    part="Teil $number von $count",
    public="öffentlich",
    private="privat",
    withheld_link="Link ausgelassen: Seine Adresse gewährt Zugriff",
    decimal_mark=",",
)
