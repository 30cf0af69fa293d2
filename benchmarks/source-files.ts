/** TypeScript files to analyse, made by a seeded generator. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '@cadre/bench';

/** Writes `count` modules of about 3 KB below `directory`; the paths, in order. */
export function writeSourceFiles(directory: string, count: number): readonly string[] {
  const random = seededRandom(23);
  return Array.from({ length: count }, (_, index) => {
    const folder = join(directory, `part-${index % 20}`);
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `module-${index}.ts`);
    writeFileSync(path, makeModule(index, random));
    return path;
  });
}

function makeModule(index: number, random: () => number): string {
  const number = (limit: number) => Math.floor(random() * limit);
  const functions = Array.from({ length: 8 }, (_, place) => {
    const name = `compute${index}Part${place}`;
    return `/** Weighs the entries of part ${place}. */
export function ${name}(entries: readonly Entry[], limit = ${number(1000)}): number {
  let total = ${number(10)};
  for (const { weight, label } of entries) {
    if (label.startsWith('${'abcdefgh'[number(8)]}') || weight > limit) continue;
    total += weight * ${number(50) + 1} - (label.length % ${number(9) + 1});
  }
  return total > limit ? limit : Math.max(total, ${number(100)});
}
`;
  });
  return `import { readFile } from 'node:fs/promises';
import type { Entry } from '../part-${number(20)}/module-${number(1000)}.ts';

${functions.join('\n')}
export async function load${index}(path: string): Promise<readonly Entry[]> {
  return JSON.parse(await readFile(path, 'utf8'));
}
`;
}
