"""A Markdown text of ours as one HTML page that loads nothing: headings, tables, lists, code blocks, paragraphs, links."""
import html
import re

from documents import cells

STYLE = """
:root { color-scheme: light dark; --back: #ffffff; --ink: #1b1f24; --quiet: #57606a; --line: #c4ccd4; --code: #f1f3f5; --link: #1f5fa8 }
@media (prefers-color-scheme: dark) {
:root { --back: #14171a; --ink: #e8eaed; --quiet: #a5adb5; --line: #4a525a; --code: #22272c; --link: #8ab8f0 } }
body { margin: 0 auto; padding: 24px; max-width: 1080px; background: var(--back); color: var(--ink); font: 15px/1.5 sans-serif }
h1 { font-size: 24px } h2 { font-size: 20px; margin-top: 40px; border-bottom: 1px solid var(--line) }
h3 { font-size: 16px; margin-top: 28px }
a { color: var(--link) } code, pre { background: var(--code); font-size: 13px } pre { padding: 8px; overflow-x: auto }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: 13px; margin: 8px 0 }
th, td { padding: 3px 10px; text-align: left; min-width: 3em; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 600 } td.right, th.right { text-align: right; white-space: nowrap }
"""


def inline(text):
    """Code, links and bold within a line."""
    pieces = []
    for piece in re.split(r"(`[^`]*`)", text):
        if piece.startswith("`") and piece.endswith("`") and len(piece) > 1:
            pieces.append("<code>%s</code>" % html.escape(piece[1:-1]))
            continue
        piece = html.escape(piece)
        piece = re.sub(r"\[([^\]]*)\]\(([^) ]*)\)", r'<a href="\2">\1</a>', piece)
        pieces.append(re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", piece))
    return "".join(pieces)


def table_html(lines):
    right = [cell.endswith(":") for cell in cells(lines[1])]
    rows = []
    for i, line in enumerate(lines[:1] + lines[2:]):
        tag = "td" if i else "th"
        rows.append("<tr>%s</tr>" % "".join(
            "<%s%s>%s</%s>" % (tag, ' class="right"' if n < len(right) and right[n] else "", inline(cell), tag)
            for n, cell in enumerate(cells(line))))
    return '<div class="wide"><table>\n%s\n</table></div>' % "\n".join(rows)


def blocks(lines):
    """The page's elements; `lines` is consumed from its end."""
    lines = lines[::-1]
    while lines:
        line = lines.pop()
        heading = re.match(r"(#+) (.*)", line)
        if line.startswith("```"):
            code = []
            while lines and not (line := lines.pop()).startswith("```"):
                code.append(line)
            yield "<pre>%s</pre>" % html.escape("\n".join(code))
        elif heading:
            level = len(heading[1])
            yield "<h%d>%s</h%d>" % (level, inline(heading[2]), level)
        elif line.startswith("|"):
            table = [line]
            while lines and lines[-1].startswith("|"):
                table.append(lines.pop())
            yield table_html(table)
        elif line.startswith("- "):
            items = [line]
            while lines and lines[-1].startswith("- "):
                items.append(lines.pop())
            yield "<ul>%s</ul>" % "".join("<li>%s</li>" % inline(item[2:]) for item in items)
        elif line.strip():
            paragraph = [line]
            while lines and lines[-1].strip() and not re.match(r"#|\||- |```", lines[-1]):
                paragraph.append(lines.pop())
            yield "<p>%s</p>" % inline(" ".join(paragraph))


def page(markdown, title):
    return ("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
            "<meta name=\"viewport\" content=\"width=device-width\">\n<title>%s</title>\n<style>%s</style>"
            "</head><body>\n%s\n</body></html>\n"
            % (html.escape(title), STYLE, "\n".join(blocks(markdown.splitlines()))))
