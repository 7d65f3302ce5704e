"""Japanese words for the notes that syncd writes.

No line may hold a hand-off phrase outside of `$phrase` and `$written`, which are shown as code.
"""

from __future__ import annotations

from syncd.core.attachment import AttachmentReason
from syncd.core.model import Role
from syncd.core.wording import NoteKind, Wording

JAPANESE = Wording(
    notes={
        NoteKind.CONTEXT: """\
$platform 側のチケット情報
$rows
$as_of 時点の情報です。その後の変更はここには反映されません。
$platform のチケット: $url""",
        NoteKind.DIGEST: """\
このチケットの過去のコメント（$count 件）
チケットがこちらに届く前に $platform で書かれたものです。古い順に、投稿者、日時、公開範囲とともに\
記載しています。
添付ファイルは $platform のチケットにあります: $url""",
        NoteKind.HAND_OFF_ORDERED: """\
このチケットは $partner から $platform に戻ります。
$who さんが $at に引き渡しました。
引き渡しのコメントは、$partner の非公開コメントのため、$partner 側に残ります。""",
        NoteKind.HANDED: """\
このチケットは現在 $platform が担当しています。
$who さんが $at に引き渡し、$platform が引き受けを確認しました。
一緒に送られたコメント: $count 件
引き渡しのコメント: $comment
$platform で解決するまで、チケットはオープンのままにしてください。\
コメントは引き続き双方に届きます。""",
        NoteKind.RESUMED: """\
このチケットは再び $partner の担当になりました。
$at に $platform が改めてエスカレーションしました。
エスカレーションした担当者: $who
お客様への次の返信は $partner からお願いします。""",
        NoteKind.RESUMED_CLOSED: """\
このチケットはクローズのまま $partner に戻されました。
$at に $partner のビューに入りました。$partner 側の控えもクローズされており、\
対応を求められている人はいません。
$partner に対応を続けてもらうには、このチケットを再オープンしてください。""",
        NoteKind.WITHDRAWN: """\
このチケットは $platform が引き取りました。
$at に $partner のビューから外されました。$partner が引き渡したものではありません。
引き取った担当者: $who
今後のお客様への返信は $platform が行います。""",
        NoteKind.ENDED: """\
このチケットの同期は終了しました。
$at に $platform がチケットを別のパートナーに割り当てました。\
今後ここに書いた内容はどこにも送られず、\
新しい内容も届きません。
このチケットは閉じてかまいません。""",
        NoteKind.ALREADY_WITH_PLATFORM: """\
このチケットはすでに $platform が担当しています。
$since からの担当のため、今回の引き渡しによる変更はありません。
コメントは $reader に送られました。""",
        NoteKind.NEAR_MISS: """\
このチケットはまだ $platform に渡っていません。
引き渡しの定型文に近い記述がありましたが、定型文だけの行になっていません。
引き渡すには、$phrase だけを書いた行を含む非公開コメントを、新しく投稿してください。\
説明は前後の行に\
書いてかまいません。
引き渡すつもりでなければ、何もする必要はありません。""",
        NoteKind.UNLISTED: """\
このチケットはまだ $platform に渡っていません。
$written は、ここでは引き渡しの定型文として設定されていません。
引き渡すには、$phrase だけを書いた行を含む非公開コメントを、新しく投稿してください。
この言い方を定型文に加えたい場合は、$platform との連携の管理者にご相談ください。""",
        NoteKind.PUBLIC_PHRASE_HELD: """\
このチケットはまだ $platform に渡っていません。公開コメントの送信も保留しています。
$phrase は非公開コメントでのみ有効です。ほかに内容がないコメントのため、\
$platform には送っていません。
まず、そのコメントを非公開にしてください。非公開にするか、連携の管理者が保留を解除するまで、\
以後のコメントも送られません。
そのうえで引き渡すには、$phrase だけを書いた行を含む非公開コメントを、新しく投稿してください。""",
        NoteKind.PUBLIC_PHRASE_SENT: """\
このチケットはまだ $platform に渡っていません。
$phrase は非公開コメントでのみ有効です。公開コメントはそのまま送られたため、\
お客様もこの行を読めます。
引き渡すには、$phrase だけを書いた行を含む非公開コメントを、新しく投稿してください。""",
        NoteKind.MADE_PRIVATE: """\
このチケットはまだ $platform に渡っていません。
$phrase と書かれたコメントは非公開になりましたが、引き渡しには、\
最初から非公開で投稿されたコメントが\
必要です。
引き渡すには、$phrase だけを書いた行を含む非公開コメントを、新しく投稿してください。""",
        NoteKind.REFUSED_CLOSED: """\
このチケットは $platform 側で終了しているため、引き渡せません。
$platform に再オープンを依頼するか、\
新しいチケットを $platform で作成するようお客様にご案内ください。
$platform のチケット: $url""",
        NoteKind.HAND_OFF_LATE: """\
$platform がこのチケットを引き受けたことを、まだ確認できていません。
引き渡しから $minutes 分以上が過ぎています。
引き渡しの日時: $at
ここに確認のお知らせが出るまでは、引き続きご担当ください。引き渡しは自動的に再試行されます。
お急ぎの場合は、$platform に直接ご連絡ください: $url""",
        NoteKind.STAY_OPEN: """\
このチケットをオープンに戻しました。
現在は $platform が担当しており、$platform で解決するまで双方でオープンのままになります。ステータス\
「$status」は $platform に送られていません。
$platform が解決するか、再びこちらの担当になるまで、何もする必要はありません。""",
        NoteKind.CLOSE_GUARD: """\
このチケットは終了せず、お客様の返信待ちにしました。
回答と終了が同時に行われたため、お客様が返信できるようにしています。
終了するには、後ほど、公開コメントを付けずにステータスだけを変更してください。""",
        NoteKind.UNREAD_MESSAGE: """\
このステータスが設定された時点で、お客様のメッセージがまだこちらに届いていませんでした。
メッセージを確認いただけるよう、チケットは「$status」ではなく「$kept」になっています。
対応が不要な場合は、もう一度ステータスを設定してください。""",
        NoteKind.STATUS_CONFLICT: """\
双方でステータスが同時に変更されました。
$platform では「$platform_status」、$partner では「$partner_status」が選ばれました。\
現在は「$kept」です。
正しくない場合は、もう一度ステータスを設定してください。""",
        NoteKind.STATUS_REFUSED: """\
ステータスはまだ双方で一致していません。
$desk でステータス「$status」が受け付けられませんでした。
先に入力が必要な項目: $fields
コメントとタグは引き続き同期されます。\
$desk でチケットが変更されると、ステータスをもう一度設定します。
$desk のチケット: $url""",
        NoteKind.HISTORIC: """\
過去の引き渡しの依頼が見つかりましたが、実行していません。
$at のコメントに $phrase と書かれています。過去の履歴として取り込まれたため、実行の対象外です。
現在の担当: $owner
改めて $platform に引き渡すには、$phrase だけを書いた行を含む非公開コメントを、\
新しく投稿してください。""",
        NoteKind.TAG_UNHELD: """\
タグ「$tag」はこちら側だけに残ります。
$desk では、この形式のタグを使えません。
双方で使うには、英小文字、数字、ハイフン、アンダースコアだけのタグにしてください。""",
        NoteKind.COMMENT_EDITED: """\
$desk でコメントが編集されました。
$author さんの $at のコメントです。こちらの写しは変更できないため、元の文章のままです。
編集後の文章: $text
$desk のチケット: $url""",
        NoteKind.COMMENT_REDACTED: """\
$desk でコメントの一部が秘匿化されました。
$author さんの $at のコメントです。こちらの写しは変更されておらず、\
削除された内容が残っている可能性が\
あります。
こちらでも秘匿化してください。
$desk のチケット: $url""",
        NoteKind.COMMENT_MADE_PRIVATE: """\
$desk でコメントが非公開に変更されました。
$author さんの $at のコメントです。こちらの写しは変更できず、公開されたままです。
可能であれば、こちらでも非公開にしてください。通知を受けた方は、すでに読んでいる可能性があります。
$desk のチケット: $url""",
        NoteKind.TICKET_DELETED: """\
このチケットのもう一方のコピーが$deskで削除されました。
こちらでは何も削除されていません。$deskで復元されるまで、ここに書いた内容は$deskに届かず、\
$deskからも何も届きません。""",
        NoteKind.TICKET_RESTORED: """\
このチケットのもう一方のコピーが$deskで復元されました。
その間に書かれたものも含め、コメントは再び双方向に届きます。""",
        NoteKind.TICKET_MERGED: """\
このやり取りは$deskの別のチケットで続きます。
$deskのチケットは、同じお客様のチケットに統合されました。統合先に以前からある内容はそのまま\
残り、今後書かれる内容だけが届きます。
$deskのチケット: $url""",
        NoteKind.MERGE_NOT_FOLLOWED: """\
このチケットのもう一方のコピーが$deskで別のチケットに統合されましたが、統合先は連携されません。
別のお客様のものである可能性があります。担当者が確認するまで、ここに書いた内容は$deskに届かず、\
$deskからも何も届きません。
統合先のチケット: $url""",
        NoteKind.FOLLOW_UP: """\
終了したチケットの続きです。
$platformのコピーが再び「$status」になりました。
終了したチケット: $url""",
        NoteKind.FOLLOW_UP_NOT_FOLLOWED: """\
このやり取りの続きのチケットが$deskで作成されましたが、連携されません。
別のお客様のものである可能性、または別の続きのチケットと並行している可能性があります。\
その内容はここには届きません。
続きのチケット: $url""",
    },
    roles={
        Role.CUSTOMER: "お客様",
        Role.AGENT: "担当者",
        Role.ADMIN: "担当者",
        Role.LIGHT_AGENT: "担当者",
        Role.STAFF: "プラットフォーム担当者",
        Role.PARTNER: "パートナー",
        Role.SYSTEM: "システム",
    },
    nameless="名前不明",
    attribution="$author（$role）、$at",
    attribution_without_role="$author、$at",
    attachment="添付ファイル: $name（$size）。$reason",
    attachment_link="元のファイルはこちら: $url",
    attachment_reasons={
        AttachmentReason.NOT_CARRIED: "ファイルは転送されません。元のチケットにあります。",
        AttachmentReason.TOO_LARGE: "大きすぎるため、転送できませんでした。",
        AttachmentReason.TYPE: "この種類のファイルは転送されません。",
        AttachmentReason.TOO_MANY: "1 件のコメントに添付できるファイル数を超えています。",
        AttachmentReason.INFECTED: "マルウェアが検出されました。",
        AttachmentReason.UNSCANNED: "マルウェアの検査ができませんでした。",
        AttachmentReason.REFUSED: "こちらのシステムで受け付けられませんでした。",
        AttachmentReason.GONE: "元のチケットから削除されました。",
        AttachmentReason.UNREACHABLE: "元のチケットから取得できませんでした。",
        AttachmentReason.SCANNING: "マルウェアの検査中です。終わり次第、自動的に届きます。",
        AttachmentReason.FOLLOWS: "今は転送できませんでした。後ほど自動的に届きます。",
    },
    attachment_late="添付ファイル: $name（$size）",
    attachment_of="$name さんの $at のコメントに添付されたものです。",
    part="分割 $number / $count",
    public="公開",
    private="非公開",
    withheld_link="リンクは省略されています。アドレスだけで閲覧できてしまうためです",
    decimal_mark=".",
)
