import { measure } from 'mitata';

/** Nanoseconds of a call: the median of its samples, within this process; as long as ours measures. */
export async function timeCall(call: () => unknown): Promise<number> {
  return (await measure(call, { min_cpu_time: 200e6 })).p50;
}
