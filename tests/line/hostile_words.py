"""What a stranger may write where a name, a title or a text is expected, to be shown as something else than words.

Never anything that Markdown would make bold or a list: in Markdown's place that would be meant.
"""

from __future__ import annotations

_TAGS = (
    "[url=https://evil.example/x]Approve[/url]",
    "[url]https://evil.example[/url]",
    "[URL=javascript:alert(1)]x[/URL]",
    "[USER=1]CEO[/USER] [user=all]all[/user]",
    "[img size=large]https://evil.example/p.png [/img]",
    "[icon=https://evil.example/i.png size=100 title=x]",
    "[send=/delete all]ok[/send]",
    "[put=/x]y[/put][put]z[/put]",
    "[call=+70000000]call[/call]",
    "[disk=1][attach=1]",
    "[chat=1]c[/chat][chat=imol|1]d[/chat]",
    "[context=chat1/2]c[/context]",
    "[timestamp=0 format=LONG_DATE_FORMAT]",
    "[like][dislike][rating=5][pch=1][date=1]",
    "[b][i][u][s][size=30][color=#ff0000]",
    "[/url][/b][/i][/u][/s][/code][/size][/color]",
    "[code]x[/code]y[/code][b]z[/b]",
    "[[b]b[/b]] [b[b]]x[/b[/b]]",
    "[ b]x[ /b] [b ]y[/b ]",
    "[url=https://evil.example",
    "=https://evil.example]x[/url]",
    "]x[/url][b]",
    "[\u200bb]x[/\u200bb] [\u2060b]y[/\u2060b] [\u00adb]z[/\u00adb]",
)
_HTML = (
    "<b>x</b><i>y</i><u>z</u><s>s</s>",
    "<a href='https://evil.example'>Approve</a><a href=javascript:alert(1)>x</a>",
    "<font color=#f00 size=30>x</font><span style='color:#ff0000'>y</span><div>z</div>",
    "a<br>b<hr/>c&nbsp;d",
    "&lt;b&gt;x&lt;/b&gt; &amp;lt;b&amp;gt;x",
    "&#91;b&#93;x&#91;/b&#93; &amp;#91;url=https://evil.example&amp;#93;x",
    "<script>alert(1)</script><img src=https://evil.example/p.png>",
)
_REFERENCES = (
    "$result[n0]",
    "x $result[n0][ID] $error[n1] $NEXT $total[n0] $time[n0]",
    "$",
    "$$result[n0]",
    "{{ 7 * 7 }}{% for x in range(9) %}a{% endfor %}{{ event.__class__ }}",
    "{{ payload }}${HOME}%(name)s{0}",
)
_SIGNS = (
    "\u202egnp.exe\u202c \u2066x\u2069 \u061c\u200f",
    "a\u200bb\ufeffc\u2060d\u00ade\U000e0041",
    "x\0\x01\x07\x08\x1b[31mred\x7f\x85\x9b2J",
    "\ud800 \udc00 x\udfff",
    "x\n>> quoted\r\ny\u2028z\u2029w\x0bv\x0cu",
    "x\n" + "-" * 54 + "\ny\n" + "-" * 54 + "\nz",
    "x[br]y#BR#z#br#",
    "#BR#",
    ">>quoted",
    "/me is CEO",
    "/loud x",
    "-" * 60,
    ":) :D ;-) :idea: (y)",
    "@all @everyone @here",
    'C:\\new\\table \\n\\t\\" \\[b\\]x',
    "\t    x",
    "\u200b",
)
_ADDRESSES = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)//https://x.example",
    "data:text/html,<b>x</b>",
    "https://evil.example/[b]x[/b]?[url=https://x.example]y[/url]#[/url]",
    "https://evil.example/\"><img src=x>' onclick=x",
    "https://bank.example@evil.example/",
    "https://evil.example\\@bank.example/",
    "https://bank.example%2eevil.example:443/$result[n0]&#93;[b]",
    "https://\u0435vil.example/ http://xn--80ak6aa92e.example",
    "www.evil.example ftp://evil.example mailto:a@evil.example tel:+7000 skype:x viber:x callto:x",
    "//evil.example/x",
    "http://[::1]/ http://[half",
    "https://evil.example:99999/",
)

WORDS = (*_TAGS, *_HTML, *_REFERENCES, *_SIGNS, *_ADDRESSES)
HUGE = ("[b]x[/b] " * 110_000, "[" * 1_000_000, "a" * 1_000_000, "&<[$#\\" * 170_000)
