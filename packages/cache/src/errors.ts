/** Every error class of the package; the codes are listed with their remedies in the README. */

/** What is wrong with a cache, a store or a secret; the README says when each comes and what to do. */
export type CacheErrorCode =
  | 'CACHE_CLOSED'
  | 'CACHE_ENTRY_TOO_LARGE'
  | 'CACHE_SECRET_INVALID'
  | 'CACHE_SECRET_UNSAFE'
  | 'CACHE_STORE_UNAVAILABLE'
  | 'CACHE_VALUE_UNSUPPORTED';

export class CacheError extends Error {
  override readonly name: string = 'CacheError';
  readonly code: CacheErrorCode;

  constructor(code: CacheErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What a store was asked for when it failed. */
export type StoreOperation = 'open' | 'get' | 'set' | 'delete' | 'clear' | 'scan' | 'lease' | 'close';

/** A store failed at what it was asked; `cause` is what it threw. */
export class StoreUnavailableError extends CacheError {
  override readonly name = 'StoreUnavailableError';
  readonly store: string;
  readonly operation: StoreOperation;

  constructor(store: string, operation: StoreOperation, cause: unknown) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    super('CACHE_STORE_UNAVAILABLE', `Store '${store}' failed at ${operation}: ${detail}`, { cause });
    this.store = store;
    this.operation = operation;
  }
}

/** A value, or a part of it, that would not come back equal to what went in. */
export class UnsupportedValueError extends CacheError {
  override readonly name = 'UnsupportedValueError';
  /** Where in the value, as in `$.files[3].map`. */
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(
      'CACHE_VALUE_UNSUPPORTED',
      `Value at ${path} ${problem}, which a cache can't give back as it was; convert it before it is cached`,
      options,
    );
    this.path = path;
  }
}

/** A secret file that must not be used as it is. */
export class SecretFileError extends CacheError {
  override readonly name = 'SecretFileError';
  readonly path: string;

  constructor(code: 'CACHE_SECRET_INVALID' | 'CACHE_SECRET_UNSAFE', path: string, problem: string) {
    super(code, `Secret file ${path} ${problem}`);
    this.path = path;
  }
}
