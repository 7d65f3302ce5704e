"""Comments as desks and mail programs really shape them, in our own words.

`SHAPES` are to arrive with the same meaning on the other desk. `HOSTILE` are to arrive harmless.
"""

from __future__ import annotations

_TOKEN_SRC = "https://acme.test/attachments/token/uP5Yq1sKx0/?name=graph.png"

SHAPES: dict[str, str] = {
    # --- Zendesk's agent editor
    "editor": '<div class="zd-comment" dir="auto"><p dir="auto">Hi Mia,</p><p dir="auto">done.</p></div>',  # noqa: E501
    "editor breaks": '<div class="zd-comment" dir="auto">Hi Mia,<br><br>the disk is full.<br></div>',  # noqa: E501
    "editor blank": '<div class="zd-comment"><p>one</p><p>&nbsp;</p><p>two</p></div>',
    "code block": "<pre><code>def f(x):\n    if x:\n        return 1\n\n    return 2</code></pre>",
    "code block alone": "<pre>SELECT *\n  FROM t\n WHERE a &lt; 3;</pre>",
    "code begins blank": "<pre>\n\n  indented\n</pre>",
    "code tabs": "<pre>all:\n\tmake x\n\t\tmake y</pre>",
    "inline code": "<p>run <code>pg_dump -Fc</code> and <code>ls</code></p>",
    "code braces": "<p><code>{{ ticket.id }}</code> is {% raw %} text</p>",
    "quote": "<p>You said</p><blockquote><p>it is slow</p></blockquote><p>Yes.</p>",
    "quote in quote": "<blockquote>b<blockquote>a</blockquote></blockquote><p>c</p>",
    "bullets": '<ul dir="auto"><li>one</li><li>two</li></ul>',
    "numbers": '<ol dir="auto"><li>one</li><li>two</li><li>three</li></ol>',
    "nested lists": "<ol><li>a<ul><li>b<ol><li>c</li></ol></li></ul></li><li>d</li></ol>",
    "list from three": '<ol start="3"><li>three</li><li>four</li></ol>',
    "list around code": "<ol><li>run</li></ol><pre>x</pre><ol start='2'><li>look</li></ol>",
    "items with paragraphs": "<ol start='4'><li><p>first</p><p>more</p></li><li><p>next</p></li></ol>",  # noqa: E501
    "item with a value": "<ol><li>one</li><li value='7'>seven</li><li>eight</li></ol>",
    "emoji picture": '<p>fine <img class="emoji" alt="👍" src="https://a.test/1f44d.png"></p>',
    "mention": '<p><a class="user-mention" href="https://acme.test/agent/users/7">@Ana</a> please</p>',  # noqa: E501
    "inline picture": f'<p>see</p><p><img src="{_TOKEN_SRC}" style="width: 400px"></p>',
    "picture by data-cid": '<p>see <img src="cid:ii_1" data-cid="ii_1" alt="pool.png"></p>',
    "headings": "<h1>Cause</h1><p>disk</p><h3>Fix</h3><p>more disk</p>",
    "bold and all": "<p><b>b</b> <strong>s</strong> <i>i</i> <em>e</em> <u>u</u></p>",
    "struck out": "<p>at <s>five</s> six</p>",
    "rule": "<p>above</p><hr><p>below</p>",
    "table": "<table><thead><tr><th>node</th><th>load</th></tr></thead><tbody><tr><td>a</td><td>1</td></tr><tr><td>b</td><td></td></tr></tbody></table>",  # noqa: E501
    "table with spans": "<table><tr><th colspan='2'>both</th></tr><tr><td rowspan='2'>l</td><td>r1</td></tr><tr><td>r2</td></tr></table>",  # noqa: E501
    "table with caption": "<table><caption>Load</caption><tr><td>a</td></tr></table>",
    "table in table": "<table><tr><td><table><tr><td>in</td></tr></table></td><td>out</td></tr></table>",  # noqa: E501
    "link": '<p><a href="https://x.test/a?b=1&amp;c=2#d" target="_blank" rel="x">here</a></p>',
    "link bare": '<p><a href="https://x.test/">https://x.test/</a></p>',
    "mailto": '<p><a href="mailto:help@x.test?subject=Hi">write</a></p>',
    "tel": '<p><a href="tel:+4930123456">call us</a></p>',
    "tracking link": '<p><a href="https://t.test/c/1?utm_source=a&amp;utm_medium=b">news</a></p>',
    # --- Gmail
    "gmail": '<div dir="ltr">Thanks!<div><br></div><div>Mia</div></div>',
    "gmail reply": '<div dir="ltr">Works.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, Ana &lt;<a href="mailto:a@x.test">a@x.test</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0"><p>Please try.</p></blockquote></div>',  # noqa: E501
    "gmail signature": '<div dir="ltr">Yes.<br clear="all"><div><br></div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature">Mia Keller<br>Data</div></div>',  # noqa: E501
    # --- Outlook
    "outlook": '<p class="MsoNormal"><span style="font-size:11.0pt">Hello,<o:p></o:p></span></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p><p class="MsoNormal"><font color="#1F497D">it works.<o:p></o:p></font></p>',  # noqa: E501
    "outlook comment": "<!--[if gte mso 9]><xml>x</xml><![endif]--><p>a</p><![if !mso]><p>b</p><![endif]>",  # noqa: E501
    "outlook list": '<p class="MsoListParagraph" style="mso-list:l0"><span style="mso-list:Ignore">·<span>&nbsp;&nbsp;</span></span>point</p>',  # noqa: E501
    "outlook reply": '<div>Fine.</div><div id="Signature"><p>Mia</p></div><hr><div id="divRplyFwdMsg"><b>From:</b> Ana<br><b>Sent:</b> Monday<br><b>To:</b> Mia</div><div>Older words.</div>',  # noqa: E501
    "outlook web": '<div class="elementToProof">One</div><div class="elementToProof"><br></div><div>Two</div>',  # noqa: E501
    # --- other mail
    "apple": '<html><head><meta charset="utf-8"></head><body style="overflow-wrap: break-word;">Hi<div><br></div><blockquote type="cite">Old</blockquote><br id="lineBreakAtBeginningOfSignature"><div>Sent from my phone</div></body></html>',  # noqa: E501
    "thunderbird": '<p>New</p><div class="moz-cite-prefix">On 1.2.26, Ana wrote:</div><blockquote type="cite" cite="mid:1"><p>Old</p></blockquote><div class="moz-signature">-- <br>Mia</div>',  # noqa: E501
    "plain mail": "<pre>Hello,\n\nthe list:\n  * one\n  * two\n\n-- \nMia</pre>",
    "exact blanks": '<div style="white-space: pre-wrap">line one\nline two\n\nline four</div>',
    "signature by dashes": "<p>Yes.</p><p>-- <br>Mia Keller</p>",
    "layout table": '<table width="100%"><tbody><tr><td><table><tr><td><p>Dear Mia</p></td></tr></table></td></tr></tbody></table>',  # noqa: E501
    "definition list": "<dl><dt>Host</dt><dd>db-1</dd><dt>Port</dt><dd>5432</dd></dl>",
    "figure": '<figure><img src="https://a.test/g.png" alt="graph"><figcaption>Load</figcaption></figure>',  # noqa: E501
    "pixel": '<p>a</p><img src="https://t.test/o.gif" width="1" height="1">',
    # --- made from Markdown
    "markdown": "<p>Use <em>this</em>:</p>\n<ol>\n<li>first\n<ul>\n<li>inner</li>\n</ul>\n</li>\n<li>second</li>\n</ol>\n",  # noqa: E501
    "markdown code": '<div class="highlight"><pre><code class="language-sh">$ psql \\\n    -c "x &amp; y"\n</code></pre></div>',  # noqa: E501
    # --- characters
    "right to left": '<p dir="rtl">شكرا <b>جزيلا</b> — שלום</p>',
    "japanese": "<p>データベースが遅いです。</p><p>確認をお願いします。</p>",
    "zero width": "<p>zero\u200bwidth \u2060 and\u00adsoft</p>",
    "entities": "<p>&lt;b&gt; &amp;amp; &copy; &#8364; &#x1F600; 5 &lt; 6 &nbsp; end</p>",
    "family": "<p>👩‍👩‍👧 🇩🇪 ❤️ 👍🏽</p>",
    # --- broken
    "unclosed": "<p>one<p>two<b>three<ul><li>four<li>five",
    "crossed": "<b>bold <i>both</b> italic</i>",
    "stray ends": "</div></p>text</b></table>",
    "cells without table": "<tr><td>a</td><td>b</td></tr>",
    "text in table": "<table>loose<tr><td>cell</td></tr></table>",
    "comment inside": "<p>a<!-- not for you -->b</p>",
    "null bytes": "<p>a\x00b</p>",
    "plaintext": "<p>one</p><plaintext>two <b>",
    "long words": f"<p>{'x' * 3_000}</p>",
    "many items": f"<ul>{'<li>i</li>' * 2_000}</ul>",
    "large table": f"<table>{'<tr><td>a</td><td>b</td></tr>' * 500}</table>",
    "deep": "<div>" * 1_000 + "deep down" + "</div>" * 1_000,
    "deep quotes": "<blockquote>" * 1_000 + "deep down" + "</blockquote>" * 1_000,
    "deep lists": "<ul><li>" * 1_000 + "deep down",
}

HOSTILE: dict[str, str] = {
    "script": "<p>a</p><script>evil()</script>",
    "handler": '<p onclick="evil()" ONMOUSEOVER=evil()>a</p>',
    "javascript": '<a href="javascript:evil()">a</a>',
    "javascript with blanks": '<a href=" java\tscript\n:evil()">a</a>',
    "javascript by entities": '<a href="&#106;avascript&colon;evil()">a</a>',
    "vbscript": '<a href="vbscript:evil()">a</a>',
    "data link": '<a href="data:text/html,&lt;script>evil()&lt;/script>">a</a>',
    "data picture": '<img src="data:image/svg+xml;base64,ZXZpbA==" onload="evil()">a',
    "svg": '<svg onload="evil()"><a xlink:href="javascript:evil()"><text>x</text></a></svg>a',
    "math": '<math><maction actiontype="statusline" xlink:href="javascript:evil()">x</maction></math>a',  # noqa: E501
    "mutation style": '<svg></p><style><a id="</style><img src=1 onerror=evil()>">a',
    "mutation title": '<noscript><p title="</noscript><img src=x onerror=evil()>">a',
    "mutation mglyph": '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=evil()&gt;">a',  # noqa: E501
    "mutation select": "<select><template><img src=x onerror=evil()></template></select>a",
    "mutation xmp": "<xmp><p title='</xmp><img src=x onerror=evil()>'>a",
    "mutation comment": "<!--><img src=x onerror=evil()>-->a",
    "mutation form": '<form><div></form><form><input autofocus onfocus="evil()">a',
    "textarea": "<textarea></textarea><img src=x onerror=evil()></textarea>a",
    "style": "<style>@import url(https://evil.test/x.css)</style>a",
    "style attribute": '<p style="background:url(https://evil.test/x.png);position:fixed">a</p>',
    "iframe": '<iframe src="https://evil.test"></iframe><iframe srcdoc="<script>evil()</script>"></iframe>a',  # noqa: E501
    "object": '<object data="https://evil.test"></object><embed src="https://evil.test">a',
    "form": '<form action="https://evil.test"><input name="p"><button>a</button></form>',
    "base": '<base href="https://evil.test/"><a href="/x">a</a>',
    "refresh": '<meta http-equiv="refresh" content="0;url=https://evil.test">a',
    "link element": '<link rel="stylesheet" href="https://evil.test/x.css">a',
    "srcset": '<img srcset="https://evil.test/1.png 1x" alt="a">',
    "video": '<video src="https://evil.test/v" poster="https://evil.test/p" onerror="evil()">a</video>',  # noqa: E501
    "template": "<template><script>evil()</script></template>a",
    "liquid": "<p>{{ticket.requester.email}} {% for x in y %} {<b>{x}}</b> a</p>",
    "liquid in a link": '<a href="https://x.test/{{ticket.id}}">a</a>',
    "half a tag": '<p>a</p><img src="x" onerror="evil()',
    "backticks": "<img src=`x` onerror=evil()>a",
    "slashes": '<img/src="x"/onerror="evil()">a',
    "relative": '<a href="//evil.test/x">a</a><a href="/x">b</a>',
}
