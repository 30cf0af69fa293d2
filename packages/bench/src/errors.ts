export type BenchErrorCode =
  | 'BENCH_CASE_NOT_FOUND'
  | 'BENCH_CASE_INVALID'
  | 'BENCH_NEED_MISSING'
  | 'BENCH_UNEQUAL_WORK'
  | 'BENCH_WORKER_FAILED'
  | 'BENCH_WORKER_TIMEOUT'
  | 'BENCH_RATE_NOT_HELD'
  | 'BENCH_PACKAGE_NOT_MEASURED'
  | 'BENCH_DISK_NOT_DURABLE'
  | 'BENCH_BUILD_FAILED'
  | 'BENCH_RECORD_NOT_FOUND'
  | 'BENCH_RECORD_INVALID'
  | 'BENCH_BASELINE_STALE';

/** Why a benchmark could not be measured or compared; `code` tells the reasons apart, each is in the README's table. */
export class BenchError extends Error {
  readonly code: BenchErrorCode;

  constructor(code: BenchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BenchError';
    this.code = code;
  }
}
