"""The look of report pages: light and dark by the reader's setting, and fit for paper."""

STYLE = """
:root { color-scheme: light dark; --bg: #f6f7f9; --paper: #fff; --ink: #1b2330; --soft: #5c6675;
  --line: #dfe3e9; --accent: #1f5fa8; --good: #1b7a3d; --care: #9a6700; --bad: #b3261e; --bad-bg: #fbe9e7; }
@media (prefers-color-scheme: dark) { :root { --bg: #12161c; --paper: #1a2029; --ink: #e6eaf0; --soft: #9aa5b5;
  --line: #2e3744; --accent: #7db4f0; --good: #6fd08c; --care: #f0c04a; --bad: #ff8a80; --bad-bg: #41201e; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header, main { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 36px; } main { padding-bottom: 32px; }
.brand { margin: 0; color: var(--accent); font-weight: 600; }
h1 { margin: 0 0 14px; font-size: 28px; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 0 0 10px; font-size: 20px; } h3 { margin: 0 0 4px; font-size: 16px; overflow-wrap: anywhere; }
p { margin: 0 0 10px; overflow-wrap: anywhere; } ul { margin: 0 0 10px; padding-left: 20px; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: 20px 22px; margin: 18px 0; }
.figures { display: flex; flex-wrap: wrap; gap: 10px 28px; margin: 0; }
.figures dd { margin: 0; font-size: 20px; font-weight: 600; font-variant-numeric: tabular-nums; }
.figures dt, .soft, figcaption { color: var(--soft); font-size: 13px; }
.scroll { overflow-x: auto; margin: 0 0 12px; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; min-width: 56px; }
td.number, th.number { text-align: right; } td.number { white-space: nowrap; }
td.wide { min-width: 26rem; }
tr.marked td { background: var(--bad-bg); } td:first-child, th:first-child { padding-left: 6px; }
figure { margin: 0 0 26px; break-inside: avoid; }
img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 6px; }
a { color: var(--accent); }
@media print { :root { --bg: #fff; --paper: #fff; --ink: #000; --soft: #444; --line: #ccc; }
  section { border: 0; padding: 8px 0; } .scroll { overflow: visible; } }
"""
