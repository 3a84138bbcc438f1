"""The look of the evaluation's page: light and dark by the reader's setting, and fit for paper."""

STYLE = """
:root { color-scheme: light dark; --bg: #f6f7f9; --paper: #fff; --ink: #1b2330; --soft: #5c6675;
  --line: #dfe3e9; --accent: #1f5fa8; --yes: #1b7a3d; --care: #9a6700; --no: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --bg: #12161c; --paper: #1a2029; --ink: #e6eaf0;
  --soft: #9aa5b5; --line: #2e3744; --accent: #7db4f0; --yes: #6fd08c; --care: #f0c04a; --no: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header, main { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 36px; } main { padding-bottom: 32px; }
h1 { margin: 0 0 14px; font-size: 28px; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 0 0 10px; font-size: 20px; } h3 { margin: 0 0 6px; font-size: 16px; overflow-wrap: anywhere; }
p { margin: 0 0 10px; overflow-wrap: anywhere; }
.soft, figcaption { color: var(--soft); font-size: 13px; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: 20px 22px; margin: 18px 0; }
.verdicts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 18px; }
.verdicts section { margin: 0; border-left-width: 6px; }
.answer { font-size: 24px; font-weight: 700; margin: 0 0 8px; }
.yes { border-left-color: var(--yes); } .care { border-left-color: var(--care); }
.no { border-left-color: var(--no); }
.yes > .answer { color: var(--yes); } .care > .answer { color: var(--care); } .no > .answer { color: var(--no); }
.verdicts ul { list-style: none; padding-left: 0; margin: 0; }
.verdicts li { border-left: 3px solid; padding-left: 10px; margin: 0 0 10px; overflow-wrap: anywhere; }
li b { display: block; font-size: 12px; }
li.yes { border-color: var(--yes); } li.care { border-color: var(--care); } li.no { border-color: var(--no); }
li.yes b { color: var(--yes); } li.care b { color: var(--care); } li.no b { color: var(--no); }
.figures { display: flex; flex-wrap: wrap; gap: 10px 28px; margin: 0; }
.figures dd { margin: 0; font-size: 20px; font-weight: 600; font-variant-numeric: tabular-nums; }
.figures dt { color: var(--soft); font-size: 13px; }
.scroll { overflow-x: auto; margin: 0 0 12px; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 16px 4px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } td.number, th.number { text-align: right; }
figure { margin: 0 0 24px; break-inside: avoid; }
img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 6px; }
@media print { :root { --bg: #fff; --paper: #fff; --ink: #000; --soft: #444; --line: #ccc; }
  .scroll { overflow: visible; } }
"""
