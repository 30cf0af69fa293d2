/** Read and write JSON lines: fast, in bounded memory, crash-safe. */
export {};
