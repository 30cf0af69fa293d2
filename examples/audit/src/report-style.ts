/** The page's looks, apart from its words. It is our own text and enters the page as it stands. */
import { html } from './html.ts';

export const STYLE = html`
:root { --paper: #fbfaf8; --card: #fff; --ink: #1d1c1a; --soft: #6a665f; --line: #e4e0d9; --high: #b3261e; --medium: #b26a00; --low: #5a6f86; --plain: #3d6b8c; --tests: #8fb39a; --good: #2e7d4f; }
@media (prefers-color-scheme: dark) { :root { --paper: #151618; --card: #1e2023; --ink: #e9e7e3; --soft: #a19d95; --line: #33363b; --high: #ff7b72; --medium: #e3a04a; --low: #8ea6c0; --plain: #6ea3c8; --tests: #5d8a6b; --good: #6cc08b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header, main { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 40px; }
.eyebrow { margin: 0; color: var(--soft); letter-spacing: .08em; text-transform: uppercase; font-size: 12px; }
h1 { margin: 0 0 4px; font-size: 34px; line-height: 1.15; letter-spacing: -.01em; }
h2 { margin: 0 0 14px; font-size: 19px; }
h3 { margin: 0; font-size: 14px; }
.lead { margin: 0 0 20px; color: var(--soft); }
section { margin: 36px 0; min-width: 0; }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 0 40px; }
.totals { display: flex; gap: 12px; margin: 0; }
.totals div { flex: 1; max-width: 150px; padding: 10px 16px; border: 1px solid var(--line); border-top: 4px solid; border-radius: 8px; background: var(--card); display: flex; flex-direction: column-reverse; }
.totals .high { border-top-color: var(--high); } .totals .medium { border-top-color: var(--medium); } .totals .low { border-top-color: var(--low); }
.totals dt { color: var(--soft); } .totals dd { margin: 0; font-size: 28px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); gap: 12px; }
.card { display: grid; grid-template-columns: auto 1fr; gap: 0 14px; align-items: center; padding: 12px 16px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
.card b { grid-row: span 2; font-size: 30px; width: 28px; text-align: center; }
.card p { margin: 0; color: var(--soft); font-size: 13px; line-height: 1.35; }
.mark-A b, .mark-B b { color: var(--good); } .mark-C b { color: var(--medium); } .mark-D b, .mark-E b { color: var(--high); } .mark-none b { color: var(--soft); }
.findings { list-style: none; margin: 0; padding: 0; display: grid; gap: 8px; }
.findings li { padding: 10px 16px; background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--low); border-radius: 8px; min-width: 0; }
.findings li.high { border-left-color: var(--high); } .findings li.medium { border-left-color: var(--medium); }
.findings p { margin: 0; }
.what { font-size: 13px; color: var(--soft); } .title { font-weight: 600; } .reason { color: var(--soft); }
.badge { font-weight: 700; color: var(--low); } .high .badge { color: var(--high); } .medium .badge { color: var(--medium); }
.effort::before { content: '· '; }
code { font: 13px/1.5 ui-monospace, monospace; }
.bars { list-style: none; margin: 0; padding: 0; display: grid; gap: 6px; }
.bars li { display: grid; grid-template-columns: minmax(0, 190px) minmax(0, 1fr) 64px; gap: 10px; align-items: center; }
.pairs .bars li { grid-template-columns: minmax(0, 360px) minmax(0, 1fr) 64px; }
.bars .label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 13px; }
.bars .note { font-size: 13px; color: var(--soft); font-variant-numeric: tabular-nums; }
svg { display: block; } rect { rx: 2px; }
.scatter { width: 100%; height: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.scatter text { font-size: 11px; fill: var(--soft); } .scatter .name { fill: var(--ink); } .grid line { stroke: var(--line); }
.scatter circle { opacity: .8; }
svg .high { fill: var(--high); } svg .medium { fill: var(--medium); } svg .low { fill: var(--low); } svg .plain { fill: var(--plain); } svg .tests { fill: var(--tests); }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 2px; } .key.plain { background: var(--plain); } .key.tests { background: var(--tests); margin-left: 10px; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; } tr:last-child td { border-bottom: 0; }
th { font-size: 12px; color: var(--soft); font-weight: 600; } th:first-child, td:first-child, td code { text-align: left; } th.wide, th.text { text-align: left; } .wide { min-width: 160px; }
td:nth-child(2):has(code) { text-align: left; }
.hint { color: var(--soft); font-size: 13px; }
.kind { border-top: 1px solid var(--line); padding: 8px 0; } .kind > summary { cursor: pointer; font-weight: 600; padding: 4px 0; } .kind > summary span { color: var(--soft); font-weight: 400; } .kind[open] > .findings { margin: 8px 0 16px; }
.findings summary { cursor: pointer; font-size: 13px; color: var(--soft); }
.how { color: var(--soft); border-top: 1px solid var(--line); padding-top: 20px; } .how ul { padding-left: 20px; }
@media (max-width: 760px) { header, main { padding-left: 16px; padding-right: 16px; } header { padding-top: 24px; } h1 { font-size: 27px; } .columns { grid-template-columns: 1fr; } .bars li { grid-template-columns: minmax(0, 120px) minmax(0, 1fr) 48px; } .pairs .bars li { grid-template-columns: minmax(0, 220px) minmax(0, 1fr) 48px; } .totals div { padding: 8px 12px; } .wide { display: none; } th, td { padding: 6px 9px; } .scatter text { font-size: 16px; } }
@media print { .kind:not([open]) { display: none; } }
`;
