/** Columns of text under their names, without boxes: numbers to the right, the widest column cut to what the terminal has. */
import type { Colors } from './colors.ts';
import { formatNumber } from './format.ts';
import { padEnd, padStart, plainLine, truncate, widthOf } from './plain-text.ts';

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

const gap = 2;
const narrowest = 4;

export function tableLines({ columns, rows }: Table, width: number, colors: Colors): readonly string[] {
  const heads = columns.map(plainLine);
  const cells = rows.map((row) => heads.map((_, column) => cellText(row[column] ?? '')));
  const isNumeric = heads.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  const natural = heads.map((head, column) =>
    cells.reduce((most, row) => Math.max(most, widthOf(row[column] ?? '')), widthOf(head)),
  );
  const widths = fitted(natural, width - gap * (heads.length - 1));
  const line = (row: readonly string[]): string => {
    const parts = row.map((text, column) => {
      const room = widths[column] ?? 0;
      const shown = truncate(text, room);
      return isNumeric[column] ? padStart(shown, room) : padEnd(shown, room);
    });
    return truncate(parts.join(' '.repeat(gap)).trimEnd(), width);
  };
  return [colors.dim(line(heads)), ...cells.map(line)];
}

function cellText(value: string | number): string {
  return typeof value === 'number' ? formatNumber(value) : plainLine(value);
}

/** Takes from the widest column until the sum fits or nothing can be taken any more. */
function fitted(natural: readonly number[], room: number): readonly number[] {
  const widths = natural.slice();
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= narrowest) break;
    const second = Math.max(narrowest, ...widths.filter((width) => width < widest));
    const at = widths.indexOf(widest);
    const taken = Math.max(1, Math.min(excess, widest - second));
    widths[at] = widest - taken;
    excess -= taken;
  }
  return widths;
}
