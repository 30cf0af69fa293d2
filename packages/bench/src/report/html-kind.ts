/** A case that is not timed, on the page: its question, its chart and its table. */
import type { KindRecord } from '../kind-records.ts';
import { renderKindChart } from './chart-kinds.ts';
import { anchorOf, renderTable } from './html-case.ts';
import { kindTable } from './kind-tables.ts';
import { html, type Markup } from './markup.ts';

export function renderKindArticle(entry: KindRecord, command: string): Markup {
  const anchor = anchorOf(entry.name);
  const { header, rows, textColumns, notes } = kindTable(entry);
  const drawn = renderKindChart(`${anchor}-chart`, entry);
  const tableRows = rows.map(
    ([first = '', ...cells]) => html`<tr><th scope="row">${first}</th>${cells.map((cell, index) =>
      textColumns.includes(index + 1) ? html`<td class="words ${toneOf(cell)}">${cell}</td>` : html`<td>${cell}</td>`,
    )}</tr>
`,
  );
  return html`<article id="${anchor}" aria-labelledby="${anchor}-name">
<h3 id="${anchor}-name">${entry.name} <span class="badge">${entry.kind}</span></h3>
<p>${entry.question}</p>
${
  drawn === undefined
    ? undefined
    : html`<figure><figcaption><h4>${drawn.title}</h4></figcaption>
${drawn.chart}</figure>
`
}${renderTable({ caption: `${entry.kind}, for each ${entry.unit}`, columns: header, rows: tableRows, words: textColumns })}
${notes.length === 0 ? undefined : html`<ul>${notes.map((note) => html`<li class="${toneOf(note)}">${note}</li>`)}</ul>`}
<p class="command"><code>${command}</code></p>
</article>
`;
}

/** What the tables write in capitals is what must not be overlooked. */
function toneOf(text: string): string {
  return /\b(LEAK|VIOLATED)\b/.test(text) ? 'behind' : '';
}
