"""The quality page's look: light and dark by the reader's setting, and fit for paper."""

STYLE = """
:root { color-scheme: light dark; --bg: #f6f7f9; --paper: #fff; --ink: #1b2330; --soft: #5c6675;
  --line: #dfe3e9; --accent: #1f5fa8; --act: #b3261e; --check: #c98500; --note: #7b8797; }
@media (prefers-color-scheme: dark) { :root { --bg: #12161c; --paper: #1a2029; --ink: #e6eaf0;
  --soft: #9aa5b5; --line: #2e3744; --accent: #7db4f0; --act: #ff8a80; --check: #edb95e; --note: #8a96a6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header, main { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 36px; } main { padding-bottom: 32px; }
.brand { margin: 0; color: var(--accent); font-weight: 600; }
h1 { margin: 0 0 14px; font-size: 28px; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 0 0 10px; font-size: 20px; } h3 { margin: 0 0 4px; font-size: 16px; }
p { margin: 0 0 10px; overflow-wrap: anywhere; } ul { margin: 0; padding-left: 20px; color: var(--soft); }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: 20px 22px; margin: 18px 0; }
.figures { display: flex; flex-wrap: wrap; gap: 10px 30px; margin: 0; }
.figures dd { margin: 0; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; }
.figures dt { color: var(--soft); font-size: 12px; }
.card { border-left: 4px solid var(--mark); padding: 2px 0 2px 14px; margin: 0 0 16px; break-inside: avoid; }
.act { --mark: var(--act); } .check { --mark: var(--check); } .note { --mark: var(--note); }
.card p { margin: 0; }
.tag { color: var(--mark); font-size: 12px; font-weight: 700; text-transform: uppercase; letter-spacing: .04em;
  margin-right: 6px; }
.scroll { overflow-x: auto; margin: 0 0 12px; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 16px 5px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
thead th { color: var(--soft); font-weight: 600; white-space: normal; min-width: 64px; vertical-align: bottom; }
.number { text-align: right; }
figure { margin: 0 0 26px; break-inside: avoid; } figcaption { color: var(--soft); font-size: 13px; }
img { max-width: 100%; height: auto; background: #fff; border-radius: 6px; }
@media print { :root { --bg: #fff; --paper: #fff; --ink: #000; --soft: #444; --line: #ccc; }
  section { border: 0; padding: 8px 0; } .scroll { overflow: visible; } th, td { white-space: normal; } }
"""
