/** What `cadre` itself refuses, beside what its packages refuse. The README lists each code. */
import { exitCodes } from './exit-codes.ts';

export type CadreErrorCode = 'CADRE_USAGE' | 'CADRE_RUN_UNKNOWN' | 'CADRE_FILE_EXISTS' | 'CADRE_NOT_ENDED';

export class CadreError extends Error {
  readonly code: CadreErrorCode;

  constructor(code: CadreErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'CadreError';
    this.code = code;
  }

  get exitCode(): number {
    return exitCodeOf[this.code];
  }
}

const exitCodeOf: Readonly<Record<CadreErrorCode, number>> = {
  CADRE_USAGE: exitCodes.invalidInput,
  CADRE_FILE_EXISTS: exitCodes.invalidInput,
  CADRE_RUN_UNKNOWN: exitCodes.noSuchRun,
  CADRE_NOT_ENDED: exitCodes.cannotGoOn,
};
