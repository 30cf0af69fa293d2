import { isBuiltin } from 'node:module';
import { join } from 'node:path';

/** The part of `node:sqlite` that is used here; the types of the oldest Node we run on don't have it. */
interface Sqlite {
  readonly DatabaseSync: new (
    path: string,
  ) => {
    exec(sql: string): void;
    prepare(sql: string): {
      run(...parameters: readonly string[]): unknown;
      get(...parameters: readonly string[]): { readonly value: string } | undefined;
    };
    close(): void;
  };
}

/** From Node.js 22.13 on, where it warns that it is experimental. */
export const hasSqlite = isBuiltin('node:sqlite');

/** One table in one file, values as JSON, statements prepared once. No seal, no deadline, no bound. */
export function openSqlite(directory: string) {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite') as Sqlite;
  const database = new DatabaseSync(join(directory, 'cache.sqlite'));
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID');
  const insert = database.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?)');
  const select = database.prepare('SELECT value FROM entries WHERE key = ?');
  return {
    set: (key: string, value: unknown) => insert.run(key, JSON.stringify(value)),
    get: (key: string): unknown => JSON.parse(select.get(key)?.value ?? 'null'),
    close: () => database.close(),
  };
}
