/** Layers of files, environment and flags into one validated value that can explain itself. */
export {};
