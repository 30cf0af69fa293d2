/** Every error that this package makes, and the report about a line that could not be read. */

/** Why a line is not a value: no JSON, no UTF-8, over `maxLineBytes` or `maxDepth`, without its end of line, or other than its checksum says. */
export type InvalidLineReason = 'syntax' | 'encoding' | 'too-long' | 'too-deep' | 'cut-off' | 'checksum';

/** What is known of a line that is not a value. */
export interface InvalidLine {
  /** Counted from 1 at the first byte that was read, blank lines included. */
  readonly lineNumber: number;
  /** Where the line starts, in bytes from the start of the source. */
  readonly byteOffset: number;
  /** Without its newline. */
  readonly byteLength: number;
  readonly reason: InvalidLineReason;
  readonly message: string;
  /** Its first bytes as text, control characters escaped: safe to print on a terminal. */
  readonly preview: string;
}

/** What is wrong with a line, a log or its file; the README says when each comes and what to do. */
export type JsonlErrorCode =
  | 'JSONL_INVALID_LINE'
  | 'JSONL_RECORD_TOO_LONG'
  | 'JSONL_LOG_LOCKED'
  | 'JSONL_LOG_LOCK_UNSUPPORTED'
  | 'JSONL_LOG_NOT_A_LOG'
  | 'JSONL_LOG_POISONED'
  | 'JSONL_LOG_REPLACED'
  | 'JSONL_LOG_FULL'
  | 'JSONL_LOG_CLOSED'
  | 'JSONL_LOG_ROTATED'
  | 'JSONL_INDEX_INVALID'
  | 'JSONL_PART_MISSING'
  | 'JSONL_REPAIR_OUTPUT_EXISTS';

export class JsonlError extends Error {
  override readonly name: string = 'JsonlError';
  readonly code: JsonlErrorCode;

  constructor(code: JsonlErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Code `JSONL_INVALID_LINE`: the source holds a line that is not a value, and `onInvalid` is `'throw'`. */
export class JsonlInvalidLineError extends JsonlError {
  override readonly name = 'JsonlInvalidLineError';
  readonly line: InvalidLine;

  constructor(line: InvalidLine, source: string | undefined, options?: ErrorOptions) {
    super('JSONL_INVALID_LINE', source === undefined ? line.message : `${source}: ${line.message}`, options);
    this.line = line;
  }
}

/** Code `JSONL_LOG_LOCKED`: another log holds the file in exclusive mode. */
export class JsonlLogLockedError extends JsonlError {
  override readonly name = 'JsonlLogLockedError';
  readonly path: string;
  /** The process that holds it, where it answered. */
  readonly holderPid: number | undefined;

  constructor(path: string, holderPid: number | undefined, options?: ErrorOptions) {
    const holder =
      holderPid === undefined
        ? 'another process'
        : holderPid === process.pid
          ? `this process (${holderPid})`
          : `process ${holderPid}`;
    super(
      'JSONL_LOG_LOCKED',
      `The log ${path} is open in exclusive mode in ${holder}; close it there, or open it with mode 'shared' in both.`,
      options,
    );
    this.path = path;
    this.holderPid = holderPid;
  }
}
