import { Piscina } from 'piscina';

export function openPiscina(filename: string, size: number, concurrentTasksPerWorker: number) {
  const pool = new Piscina({
    filename,
    minThreads: size,
    maxThreads: size,
    concurrentTasksPerWorker,
    maxQueue: Number.POSITIVE_INFINITY,
  });
  return { run: (argument: number): Promise<number> => pool.run(argument), close: () => pool.destroy() };
}
