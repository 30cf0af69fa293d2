/**
 * Appends records to new logs, each until it is refused one, and prints a line of JSON per log: what was acknowledged, and
 * the errors. Arguments: folder, first seed, how many logs, and for a small disk the folder to copy to: then a file of
 * random size takes part of the disk first, the log is copied, and is opened and appended to again once there is room.
 */
import { copyFileSync, readdirSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openJsonlLog } from '../../dist/index.js';

const [folder, firstSeed, count, copies] = process.argv.slice(2);
for (let seed = Number(firstSeed); seed < Number(firstSeed) + Number(count); seed++) {
  const path = join(folder, `${seed}.jsonl`);
  const filler = join(folder, 'filler');
  const mode = seed % 2 === 0 ? 'exclusive' : 'shared';
  if (copies !== undefined) {
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(filler, Buffer.alloc(Math.floor((bavail * bsize * ((seed * 7919) % 997)) / 1_000)));
  }
  const said = { seed, mode, acknowledged: 0, error: '', cause: '', laterErrors: [], afterRoom: '' };
  try {
    await appendUntilRefused(path, mode, seed, said);
  } catch (error) {
    said.error = `open: ${error.code}`;
  }
  if (copies !== undefined) {
    copyFileSync(path, join(copies, `${seed}.full.jsonl`));
    rmSync(filler);
    said.afterRoom = await openJsonlLog(path, { mode }).then(async (log) => {
      await log.append('after');
      await log.close();
      return 'appended';
    });
    copyFileSync(path, join(copies, `${seed}.jsonl`));
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
  }
  writeSync(1, `${JSON.stringify(said)}\n`);
}

async function appendUntilRefused(path, mode, seed, said) {
  const log = await openJsonlLog(path, { mode });
  for (let id = 0; id < 1_000; id++) {
    try {
      const name = `${seed}-${id}`;
      const bytes = ((id + 1) * (seed + 3) * 7919) % (id % 5 === 4 ? 20_000 : 900);
      await log.append({ id: name, bytes, body: name.padEnd(bytes, '.') });
      if (said.error === '') said.acknowledged = id + 1;
      else said.laterErrors.push('none');
    } catch (error) {
      if (said.error !== '') said.laterErrors.push(error.code);
      else [said.error, said.cause] = [error.code, error.cause?.code ?? error.cause?.message];
    }
    if (said.laterErrors.length === 3) break;
  }
  await log.close();
}
