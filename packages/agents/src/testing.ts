/** One event vocabulary and one outcome over every coding agent program. */
export {};
