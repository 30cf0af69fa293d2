/** The secret that entries are sealed with: made at random on first use, readable by its owner alone. */
import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from './disk-scan.ts';
import { SecretFileError } from './errors.ts';

const secretBytes = 32;

/**
 * The 32 bytes in the file, which is made with mode 0600 if it isn't there. Processes that race to make it all get the
 * bytes of the one that won.
 * @throws {SecretFileError} CACHE_SECRET_UNSAFE when others can read the file, or it belongs to another user
 * @throws {SecretFileError} CACHE_SECRET_INVALID when it doesn't hold 32 bytes
 */
export async function openSecretFile(path: string): Promise<Uint8Array> {
  return (await readSecret(path)) ?? (await createSecret(path));
}

async function createSecret(path: string): Promise<Uint8Array> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}-${randomBytes(8).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(randomBytes(secretBytes));
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // A link, unlike a rename, doesn't replace the file of a process that was quicker.
    await link(temporary, path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    await unlink(temporary);
  }
  const secret = await readSecret(path);
  if (secret === undefined) throw new SecretFileError('CACHE_SECRET_INVALID', path, 'was removed while it was made');
  return secret;
}

async function readSecret(path: string): Promise<Uint8Array | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const stats = await file.stat();
    assertPrivate(path, stats);
    if (!stats.isFile() || stats.size !== secretBytes) {
      const found = stats.isFile() ? `${stats.size} bytes` : 'something that is not a file';
      throw new SecretFileError('CACHE_SECRET_INVALID', path, `holds ${found}, not ${secretBytes} bytes; remove it`);
    }
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

function assertPrivate(path: string, { mode, uid }: Stats): void {
  // Windows keeps no such bits.
  if (process.platform === 'win32') return;
  const user = process.geteuid?.();
  if (uid !== user && uid !== 0) {
    throw new SecretFileError('CACHE_SECRET_UNSAFE', path, `belongs to user ${uid}, not to you (${user})`);
  }
  if ((mode & 0o077) !== 0) {
    const bits = (mode & 0o777).toString(8).padStart(4, '0');
    throw new SecretFileError(
      'CACHE_SECRET_UNSAFE',
      path,
      `has mode ${bits}, so others can read it; run chmod 600 on it`,
    );
  }
}
