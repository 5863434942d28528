"""The tables of docs/*.md, by document and section; and Markdown tables in general."""
import re


def tables_in(text):
    """[(section heading, [lines of the table])] in order; lines in code blocks are no tables."""
    found, section, table, fenced = [], "", [], False
    for line in text.splitlines() + [""]:
        if line.startswith("```"):
            fenced = not fenced
        if not fenced and line.startswith("|"):
            table.append(line)
            continue
        if len(table) > 2:
            found.append((section, table))
        table = []
        heading = re.match(r"#+ (.*)", line)
        if heading and not fenced:
            section = heading[1].strip()
    return found


def cells(line):
    """The cells of a table's line; \\\\| is a bar in a cell."""
    line = line.strip().replace("\\|", "\0")
    return [cell.strip().replace("\0", "|") for cell in line[1:-1].split("|")]


def as_data(table):
    """A table as {columns, rows}, for JSON."""
    return {"columns": cells(table[0]), "rows": [cells(line) for line in table[2:]]}


def table(columns, rows):
    """Lines of a Markdown table; numbers stand to the right."""
    right = [all(re.match(r"[-+0-9.]*[0-9]", str(row[i])) for row in rows) if rows else False for i in range(len(columns))]
    lines = ["| " + " | ".join(columns) + " |", "|" + "|".join("--:" if r else "---" for r in right) + "|"]
    return lines + ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]


def anchor(heading):
    """The name of a heading in a link, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
