/** Prints whether there is WebAssembly here, then what is read of a file, whole and with a `where`, as one line of JSON. */
import { readJsonlEntries } from '../../dist/index.js';

const [path, kind] = process.argv.slice(2);
const read = async (options) => {
  const found = { entries: [], invalid: [] };
  const onInvalid = ({ reason, byteOffset, lineNumber }) => found.invalid.push({ reason, byteOffset, lineNumber });
  for await (const batch of readJsonlEntries(path, { ...options, onInvalid })) found.entries.push(...batch);
  return found;
};
const found = { whole: await read({}), selected: await read({ where: { kind } }) };
process.stdout.write(JSON.stringify({ hasWebAssembly: typeof WebAssembly !== 'undefined', found }));
