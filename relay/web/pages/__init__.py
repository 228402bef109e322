"""The relay's pages: what came, who was told, and why; server-rendered, and for scripts as JSON. It decides nothing.

How a page is added, say «outbox» (journal.py and its neighbours are the example):

1. `outbox.py`: `routes(site: Site) -> Blueprint` with its views, and `OPERATIONS`, its part of the OpenAPI document.
   Name both module and Blueprint after the page, and put it into PAGES in site.py.
2. `templates/outbox.html` extends base.html (blocks `title`, `main`, `head`, `scripts`). In it: `t("outbox.title")`,
   `t.count("outbox.more", n)`, `visitor`, `path`, `address(before=3)` (this page, asked otherwise), `asset("x.js")`;
   filters `when` (Unix seconds), `line` (a stranger's words in a list), `visible` (a stranger's text in a `<pre>`).
   From parts.html, imported «with context»: `verdict(state)`, `heading`, `choice`, `field`, `csrf()`.
   No style="", no on…="", no inline script: the policy forbids them. A drawing is an SVG with attributes.
3. `words/outbox.py`: `WORDS`, key → (English, Russian), keys begin with `outbox.`; put it into TABLES in
   words/__init__.py. Words that exist already (words/common.py) are used and not written again.
4. The way there: a line in NAV in shell.py.
5. Who may: a visitor who has signed in may GET; any other method is an admin's, or marked `@readers_too` if it changes
   nothing (below the route's decorator). Forms carry `{{ csrf() }}`; site.py has checked it before a view is called.
   A change ends with a redirect (303), and hides its button from whoever is not `visitor.may_change`.
6. Numbers in addresses are `<int(max=9007199254740992):number>`: what no database can hold is 404, not a failure.
   Questions are read by `asking.Asked`; the store is asked through relay/store, and pages go on below a number.
7. Live: an element with an id and `data-live` is asked again every two seconds and exchanged; its children with ids
   one by one. `data-live="?part=rows"` asks for less than the whole page. No form stands in it. A script of the page's
   own is `static/outbox.js`, in block `scripts`.
8. For scripts: `/api/v1/outbox` answers `reply(value)` beside the page; errors are `abort(404)` or a `Refused`. Each
   such route has its entry in OPERATIONS (openapi.py has the pieces), and tests compare the two.
9. Tests: tests/web/pages/ has `site` (a client that has signed in), and what holds for every route holds for yours by
   itself (test_every_route.py); add the page's main task to a browser test.
"""
