"""The style sheet of a report: light and dark, wide and narrow."""

STYLE_SHEET = """
:root {
  color-scheme: light dark;
  --surface: #fcfcfb; --card: #ffffff; --ink: #1c1d1f; --muted: #62656b; --grid: #d9dbde;
  --speech: #2b6cb0; --text: #b8500f; --speech-wash: #e3edf7; --text-wash: #f9e9dd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --surface: #16181b; --card: #1e2125; --ink: #e9eaec; --muted: #a2a7ae; --grid: #3a3f46;
    --speech: #6fb1f2; --text: #f0995a; --speech-wash: #22384f; --text-wash: #4a301e;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 68rem; background: var(--surface); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .5rem; }
p { margin: .4rem 0; max-width: 46rem; }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .88em; overflow-wrap: anywhere; }
.muted { color: var(--muted); }
.tiles, .charts { display: grid; gap: .8rem; margin: 1rem 0; }
.tiles { grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); }
.charts { grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); align-items: start; }
.tile, figure, .example { background: var(--card); border: 1px solid var(--grid); border-radius: .5rem; }
.tile { padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.35rem; line-height: 1.25; font-weight: 600; overflow-wrap: anywhere; }
.tile span { color: var(--muted); font-size: .85rem; }
.advice { border-left: .25rem solid var(--text); padding: .1rem 0 .1rem .9rem; margin: .8rem 0; }
.warning { background: var(--card); border: 1px solid var(--grid); border-left: .25rem solid var(--text);
  border-radius: .3rem; padding: .5rem .9rem; margin: .8rem 0; }
.warning p { max-width: none; }
.warning ul { margin: .4rem 0; padding-left: 1.1rem; color: var(--muted); font-size: .85rem; overflow-wrap: anywhere; }
figure { margin: 0; padding: .8rem .8rem .6rem; }
figure svg { display: block; width: 100%; height: auto; }
figure svg text { font-family: inherit !important; }
figcaption { font-size: .85rem; color: var(--muted); margin-top: .4rem; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid var(--grid); }
td { white-space: nowrap; }
th { color: var(--muted); font-weight: 500; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td.words { text-align: left; white-space: normal; min-width: 12rem; }
tr.chosen td { background: var(--text-wash); font-weight: 600; }
.example { padding: .8rem 1rem; margin: .8rem 0; }
.example dl { display: grid; grid-template-columns: 8.5rem 1fr; gap: .5rem 1rem; margin: 0; }
.example dt { color: var(--muted); font-size: .85rem; }
.example dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.pieces { display: flex; flex-wrap: wrap; gap: .2rem; max-height: 14rem; overflow-y: auto; }
.piece {
  padding: 0 .35rem; border-radius: .25rem; background: var(--text-wash); white-space: pre-wrap;
  font: .82rem/1.55 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere;
}
.piece.units { background: var(--speech-wash); }
.piece small { color: var(--muted); font-size: .75rem; }
.key { display: inline-block; width: .7rem; height: .7rem; border-radius: .15rem; vertical-align: baseline; }
@media (max-width: 36rem) {
  .example dl { grid-template-columns: 1fr; gap: .1rem; }
  .example dd { margin-bottom: .5rem; }
}
"""
