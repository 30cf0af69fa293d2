/** Measure, compare with a stored baseline, report. */
export {};
