/** How the page looks: light and dark, narrow and wide, on paper. Nothing is fetched, so the fonts are the reader's own. */

export const pageStyle = `
:root {
  color-scheme: light dark;
  --page: #fbfaf7; --panel: #ffffff; --ink: #1d2327; --soft: #59636b; --line: #dcdad2; --grid: #e9e7e0;
  --own: #0b6e75; --ahead: #2b8a8f; --behind: #c2410c; --level: #7a7f85; --limit: #8a6fb0; --dot: #8b959c;
  --notice: #fff4e0; --notice-line: #d97706;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181b; --panel: #1b2125; --ink: #e7ebee; --soft: #a3aeb6; --line: #343d43; --grid: #2a3237;
    --own: #5cc8ce; --ahead: #4fb3b9; --behind: #ff8a5c; --level: #9aa3aa; --limit: #b79fe0; --dot: #76828a;
    --notice: #33270f; --notice-line: #f0a63a;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main, header.page, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
a { color: var(--own); text-underline-offset: 0.15em; }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--own); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--panel); padding: 0.5rem 1rem; z-index: 2; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 2.5rem 0 0.4rem; letter-spacing: -0.01em; }
h2 { font-size: 1.4rem; margin: 3rem 0 0.8rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.08rem; margin: 0 0 0.2rem; overflow-wrap: anywhere; }
h4 { font-size: 0.82rem; margin: 0 0 0.6rem; color: var(--soft); font-weight: 600; }
p { margin: 0.4rem 0 0.8rem; }
.soft { color: var(--soft); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; margin: 1rem 0 0; padding: 0; }
.notice { background: var(--notice); border-left: 5px solid var(--notice-line); padding: 0.8rem 1rem; margin: 1.2rem 0; border-radius: 4px; }
.notice p, .notice ul { margin: 0.2rem 0; }
.counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.8rem; margin: 1.4rem 0; padding: 0; list-style: none; }
.counts li { background: var(--panel); border: 1px solid var(--line); border-top: 4px solid var(--level); border-radius: 6px; padding: 0.7rem 0.9rem; }
.counts li.ahead { border-top-color: var(--ahead); }
.counts li.behind { border-top-color: var(--behind); }
.counts strong { display: block; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
article { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 1.1rem 1.2rem 0.8rem; margin: 1.1rem 0; scroll-margin-top: 1rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 1.4rem 2.2rem; margin: 1rem 0; }
figure { margin: 0; min-width: 0; }
.badge { display: inline-block; font-size: 0.78rem; font-weight: 600; border: 1.5px solid currentColor; border-radius: 99px; padding: 0 0.6em; color: var(--level); white-space: nowrap; }
.badge.ahead { color: var(--ahead); } .badge.behind { color: var(--behind); }
.scroll { overflow-x: auto; margin: 0.6rem 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.89rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: 0.3rem; }
caption span { position: sticky; left: 0; display: inline-block; max-width: min(100%, 78vw); }
th, td { text-align: right; padding: 0.32rem 0.7rem; border-bottom: 1px solid var(--grid); white-space: nowrap; }
th:first-child, .words { text-align: left; white-space: normal; overflow-wrap: break-word; min-width: 8rem; }
thead th { color: var(--soft); font-weight: 600; border-bottom-color: var(--line); white-space: normal; vertical-align: bottom; }
tbody th { font-weight: 500; }
tr.own th, tr.own td { font-weight: 650; }
li.behind { color: var(--behind); font-weight: 650; }
td.ahead { color: var(--ahead); } td.behind { color: var(--behind); font-weight: 650; }
details { margin: 0.5rem 0; }
summary { cursor: pointer; color: var(--soft); font-size: 0.89rem; }
code, pre { font: 0.86rem/1.5 ui-monospace, monospace; }
.command { color: var(--soft); overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(8rem, 16rem) 1fr; gap: 0.25rem 1.2rem; margin: 0.8rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
footer { color: var(--soft); font-size: 0.89rem; padding-bottom: 3rem; margin-top: 3rem; }
svg { display: block; overflow: visible; }
svg text { font: 13px system-ui, sans-serif; fill: var(--ink); }
svg .tick { fill: var(--soft); font-size: 11.5px; font-variant-numeric: tabular-nums; }
svg .figure { font-variant-numeric: tabular-nums; fill: var(--soft); }
svg .figure.own { fill: var(--own); font-weight: 650; } svg .figure.behind { fill: var(--behind); font-weight: 650; }
svg .figure.ahead { fill: var(--ahead); }
svg .grid { stroke: var(--grid); } svg .guide { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 3 3; }
svg .bar { fill: var(--level); opacity: 0.85; } svg .bar.ahead { fill: var(--ahead); } svg .bar.behind { fill: var(--behind); } svg .bar.limit { fill: var(--limit); }
svg .bar.own { fill: var(--own); }
svg .whisker { stroke: var(--ink); stroke-width: 1.5; }
svg .interval { fill: var(--own); opacity: 0.18; }
svg .dot { fill: var(--dot); opacity: 0.75; } svg .dot.own { fill: var(--own); }
svg .median { stroke: var(--ink); stroke-width: 2; }
svg .trend { stroke: var(--own); stroke-width: 1.5; } svg .release { fill: var(--own); }
svg .trial { fill: var(--panel); stroke: var(--own); stroke-width: 1.5; }
@media (max-width: 40rem) {
  body { font-size: 15px; } h1 { font-size: 1.55rem; } article { padding: 0.9rem 0.9rem 0.6rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.5rem; }
}
@media print { article { break-inside: avoid; } details:not([open]) { display: none; } }
`;
