export const question = 'A file without a default export.';
