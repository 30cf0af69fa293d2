import cacache from 'cacache';

/** What npm keeps its packages in: content addressed by digest, checked at each read. */
export function openCacache(directory: string) {
  return {
    set: (key: string, value: unknown) => cacache.put(directory, key, JSON.stringify(value)),
    get: async (key: string): Promise<unknown> => JSON.parse((await cacache.get(directory, key)).data.toString('utf8')),
    close: () => undefined,
  };
}
