"""The report's look: light and dark by the reader's setting, and fit for paper."""

STYLE = """
:root { color-scheme: light dark; --bg: #f6f7f9; --paper: #fff; --ink: #1b2330; --soft: #5c6675;
  --line: #dfe3e9; --accent: #1f5fa8; --good: #1c7c4a; --warn: #9a6200; --bad: #b3261e;
  --good-bg: #e3f4ea; --warn-bg: #fdf1da; --bad-bg: #fbe6e4; }
@media (prefers-color-scheme: dark) { :root { --bg: #12161c; --paper: #1a2029; --ink: #e6eaf0;
  --soft: #9aa5b5; --line: #2e3744; --accent: #7db4f0; --good: #6fd19c; --warn: #edb95e; --bad: #f2938c;
  --good-bg: #173425; --warn-bg: #3a2d12; --bad-bg: #41201e; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header, main, footer { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 36px; } .brand { margin: 0; color: var(--accent); font-weight: 600; }
h1 { margin: 0 0 8px; font-size: 30px; line-height: 1.2; } h2 { margin: 0 0 12px; font-size: 20px; }
h3 { margin: 0 0 6px; font-size: 16px; } p { margin: 0 0 10px; overflow-wrap: anywhere; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: 20px 22px; margin: 18px 0; }
.card { border-left: 4px solid var(--soft); padding: 2px 0 2px 14px; margin: 0 0 20px; }
.card:last-child { margin-bottom: 0; }
.card.good { border-color: var(--good); } .card.warn { border-color: var(--warn); }
.card.bad { border-color: var(--bad); } .more { margin: 4px 0 0; font-size: 13px; }
.pill, .verdict { display: inline-block; border-radius: 99px; padding: 1px 10px; font-size: 12px;
  font-weight: 600; vertical-align: middle; background: var(--line); color: var(--soft); }
.verdict { font-size: 15px; padding: 4px 14px; }
.success { background: var(--good-bg); color: var(--good); }
.error { background: var(--bad-bg); color: var(--bad); }
.figures { display: flex; flex-wrap: wrap; gap: 10px 28px; margin: 0 0 14px; }
.figures dt { color: var(--soft); font-size: 12px; } .figures dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: 0 0 12px; } caption { text-align: left; color: var(--soft); }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
#stages table { width: 100%; } #stages td:last-child { overflow-wrap: anywhere; }
th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line);
  vertical-align: top; } thead th { color: var(--soft); font-weight: 600; white-space: nowrap; }
.number { text-align: right; } .remark { color: var(--soft); font-size: 13px; }
figure { margin: 0 0 14px; } figcaption { color: var(--soft); font-size: 13px; }
img { max-width: 100%; height: auto; background: #fff; border-radius: 6px; }
details { margin: 0 0 10px; } summary { cursor: pointer; color: var(--accent); }
.lines { margin: 0 0 12px; padding-left: 20px; overflow-wrap: anywhere; }
.files { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; padding: 0; margin: 8px 0 0;
  font-size: 13.5px; } a { color: var(--accent); } footer { color: var(--soft); padding-bottom: 32px; }
@media print { body { background: #fff; } section { break-inside: avoid-page; border: 0; padding: 8px 0; }
  .more, .files { display: none; } }
"""
