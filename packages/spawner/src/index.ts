/** Start, limit and end worker processes and threads; none survives unseen. */
export {};
