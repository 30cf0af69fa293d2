/** The end of what an agent said, for a result that brings no text of its own; bounded, since an agent may talk for hours. */
const longestText = 1024 * 1024;

export class TextTail {
  readonly #pieces: string[] = [];
  #length = 0;

  /** Each piece is a line of its own. */
  push(text: string): void {
    const piece = text.slice(-longestText);
    this.#pieces.push(piece);
    this.#length += piece.length;
    while (this.#length > longestText) this.#length -= this.#pieces.shift()?.length ?? 0;
  }

  text(): string {
    return this.#pieces.join('\n');
  }
}
