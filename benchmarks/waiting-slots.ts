/** What the waiting slots of the spawner need, where a case measures them. */
import { type Need, needsProgram } from '@cadre/bench';

/** Elsewhere they are refused. */
export function needsWaitingSlots(options: Pick<Need, 'variants'> = {}): Need {
  const perl = needsProgram('perl', options);
  return { ...perl, name: 'perl on Linux', isHere: () => process.platform === 'linux' && perl.isHere() };
}
