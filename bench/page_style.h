/* The page's style. Colours are variables: one set for light, one for dark; every text has a contrast of at least 4.5
 * to 1 with what is behind it in both, every bar at least 3 to 1. */
#ifndef GRETA_BENCH_PAGE_STYLE_H
#define GRETA_BENCH_PAGE_STYLE_H

static const char BENCH_PAGE_STYLE[] =
    ":root { color-scheme: light dark; --back: #ffffff; --ink: #1b1f24; --quiet: #57606a; --line: #c4ccd4;\n"
    "--series0: #b3541e; --series1: #8a6d00; --series2: #2a78b8; --series3: #1f7a4d; --mark: #b3261e; }\n"
    "@media (prefers-color-scheme: dark) { :root {\n"
    "--back: #14171a; --ink: #e8eaed; --quiet: #a5adb5; --line: #4a525a;\n"
    "--series0: #f0915a; --series1: #d9b53c; --series2: #6db3ea; --series3: #5cc48d; --mark: #ff8f7f; } }\n"
    "body { margin: 0 auto; padding: 24px; max-width: 1080px; background: var(--back); color: var(--ink);\n"
    "font: 15px/1.5 sans-serif; }\n"
    "h1 { font-size: 24px; margin: 0 0 12px; } h2 { font-size: 18px; margin: 0 0 8px; }\n"
    "h1, h2, p, figcaption { overflow-wrap: anywhere; }\n"
    "figure { margin: 36px 0 0; } figcaption { color: var(--quiet); font-size: 13px; margin-top: 4px; }\n"
    ".wide { overflow-x: auto; }\n"
    "dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0; }\n"
    "dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }\n"
    "table { border-collapse: collapse; font-size: 13px; white-space: nowrap; }\n"
    "th, td { padding: 3px 10px; text-align: right; border-bottom: 1px solid var(--line); }\n"
    "th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left; } th { font-weight: 600; }\n"
    ".greta-plan { width: 100%; height: auto; min-width: 900px; }\n"
    ".chart { font-size: 13px; } .chart p { margin: 0; } .chart svg { display: block; overflow: visible; }\n"
    ".chart .unit, .chart .tick { color: var(--quiet); fill: var(--quiet); }\n"
    ".chart .group { font-weight: 600; margin: 10px 0 2px; }\n"
    ".chart .row { display: grid; grid-template-columns: 150px 1fr 300px; gap: 0 12px; align-items: center; padding: 2px 0; }\n"
    ".chart .row .label { text-align: right; } .chart .value { overflow-wrap: anywhere; }\n"
    ".chart text { font: 12px sans-serif; } .chart .axis { stroke: var(--line); }\n"
    ".chart .range { stroke: var(--ink); } .chart .reference { stroke: var(--mark); stroke-dasharray: 4 2; }\n"
    ".chart .referencetext { color: var(--mark); }\n"
    ".chart .legend { display: flex; flex-wrap: wrap; gap: 2px 20px; }\n"
    ".chart .entry { display: flex; align-items: center; gap: 8px; }\n"
    ".chart .series0 { fill: var(--series0); } .chart .series1 { fill: var(--series1); }\n"
    ".chart .series2 { fill: var(--series2); } .chart .series3 { fill: var(--series3); }\n"
    ".chart .line { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }\n"
    ".chart .dashed { stroke-dasharray: 7 4; }\n"
    ".chart .line.series0 { stroke: var(--series0); } .chart .line.series1 { stroke: var(--series1); }\n"
    ".chart .line.series2 { stroke: var(--series2); } .chart .line.series3 { stroke: var(--series3); }\n"
    "@media (max-width: 760px) { body { padding: 16px 12px; } dl { gap: 2px 10px; }\n"
    ".chart .row { grid-template-columns: auto 1fr; padding: 4px 0; } .chart .row .label { text-align: left; }\n"
    ".chart .row svg { grid-row: 2; grid-column: 1 / 3; } }\n";

#endif
