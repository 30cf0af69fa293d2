import pidusage from 'pidusage';

/** Memory and processor time of processes; neither descriptors, threads nor the delay of the event loop. */
export async function sampleAll(pids: readonly number[]): Promise<number> {
  const samples = await pidusage([...pids]);
  return Object.values(samples).filter(({ memory }) => memory > 0).length;
}
