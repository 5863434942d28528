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
    ".chart text { font: 12px sans-serif; fill: var(--ink);\n"
    "paint-order: stroke; stroke: var(--back); stroke-width: 3px; }\n"
    ".chart .tick { fill: var(--quiet); }\n"
    ".chart .group { font-weight: 600; font-size: 13px; } .chart .axis { stroke: var(--line); }\n"
    ".chart .range { stroke: var(--ink); fill: none; }\n"
    ".chart .reference { stroke: var(--mark); stroke-dasharray: 6 4; }\n"
    ".chart .referencetext { fill: var(--mark); }\n"
    ".chart .series0 { fill: var(--series0); } .chart .series1 { fill: var(--series1); }\n"
    ".chart .series2 { fill: var(--series2); } .chart .series3 { fill: var(--series3); }\n"
    ".chart .line { fill: none; stroke-width: 2; } .chart .dashed { stroke-dasharray: 7 4; }\n"
    ".chart .line.series0 { stroke: var(--series0); } .chart .line.series1 { stroke: var(--series1); }\n"
    ".chart .line.series2 { stroke: var(--series2); } .chart .line.series3 { stroke: var(--series3); }\n";

#endif
