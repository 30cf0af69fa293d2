import { Bench } from 'tinybench';

/** Nanoseconds of a call: the median of its samples, within this process; as long as ours warms up and measures. */
export async function timeCall(call: () => unknown): Promise<number> {
  const bench = new Bench({ warmupTime: 100, time: 200 });
  bench.add('call', call);
  const [task] = await bench.run();
  const result = task?.result;
  if (result !== undefined && 'latency' in result && result.latency.p50 !== undefined) return result.latency.p50 * 1e6;
  throw new Error('tinybench measured nothing.');
}
