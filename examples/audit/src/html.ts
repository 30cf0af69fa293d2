/**
 * HTML that strangers' text cannot become part of: a template puts every value in as text, and only what a template made
 * goes in as markup.
 */

export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  /** The template's own text as it is, each value escaped, lists of markup joined. */
  static template(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
    return new Html(
      strings.map((text, index) => text + (index < values.length ? markupOf(values[index]) : '')).join(''),
    );
  }

  toString(): string {
    return this.#markup;
  }
}

export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

export const html = Html.template;

/** Control characters have no place in a page, and some browsers read directions into names: both become visible. */
function escapeHtml(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => (character === '\n' || character === '\t' ? ' ' : '�'))
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;');
}

function markupOf(value: HtmlValue): string {
  if (value instanceof Html) return value.toString();
  if (typeof value === 'string' || typeof value === 'number') return escapeHtml(String(value));
  if (Array.isArray(value)) return value.map(markupOf).join('');
  return '';
}
