/** Publish, subscribe and request by subject. */
export {};
