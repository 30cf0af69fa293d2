/** Every error class of the package; the codes are listed with their remedies in the README. */

/** What is wrong with a call or a connection; the README says when each comes and what to do. */
export type BusErrorCode =
  | 'BUS_ALREADY_CONSUMED'
  | 'BUS_CLOSED'
  | 'BUS_HUB_RUNNING'
  | 'BUS_INVALID_SUBJECT'
  | 'BUS_MESSAGE_TOO_LARGE'
  | 'BUS_NO_RESPONDERS'
  | 'BUS_OVERFLOW'
  | 'BUS_PROTOCOL'
  | 'BUS_REFUSED'
  | 'BUS_TIMEOUT'
  | 'BUS_UNREACHABLE';

export class BusError extends Error {
  readonly code: BusErrorCode;

  constructor(code: BusErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BusError';
    this.code = code;
  }
}

/** A request that got no answer: nobody listens, or nobody answered in time. */
export class RequestError extends BusError {
  readonly subject: string;

  constructor(code: 'BUS_NO_RESPONDERS' | 'BUS_TIMEOUT', subject: string, message: string) {
    super(code, message);
    this.name = 'RequestError';
    this.subject = subject;
  }
}
