/** One start of a program by this process or from a waiting slot; what either gives back is the same. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type ChildHandle, handleOf } from './child-handle.ts';
import { checkDescriptors } from './descriptors.ts';
import { explainStartFailure } from './find-program.ts';
import { identifyStarted, newestPid, type StartedProcess } from './process-table.ts';
import type { SlotCommand } from './slot-nursery.ts';
import type { WaitingSlots } from './spawn-slots.ts';
import { SlotExecError } from './waiting-slot.ts';

export interface StartedChild {
  readonly handle: ChildHandle;
  readonly started: StartedProcess;
}

/** Its events must be listened to in the turn in which this resolves. @throws {SpawnError} */
export async function startChild(start: SlotCommand, slots: WaitingSlots | undefined): Promise<StartedChild> {
  const { command, args, cwd, env, stdin } = start;
  try {
    if (slots !== undefined) {
      const openedAtMs = performance.now();
      // The shell is older than the start, and what was forked since is not its doing.
      const opensAtPid = newestPid();
      const { handle, ...started } = await slots.start(start);
      const window = opensAtPid === undefined ? undefined : { rootPid: started.pid, opensAtPid, openedAtMs };
      return { handle, started: { ...started, window } };
    }
    checkDescriptors(stdin === 'closed' ? 2 : 3);
    const openedAtMs = performance.now();
    const child: ChildProcess = spawn(command, [...args], {
      cwd,
      env,
      detached: true,
      shell: false,
      windowsHide: true,
      stdio: [stdin === 'closed' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    if (child.pid === undefined) throw (await once(child, 'error'))[0];
    const { pid } = child;
    const window = { rootPid: pid, opensAtPid: pid, openedAtMs };
    return { handle: handleOf(child), started: { ...identifyStarted(pid), window } };
  } catch (error) {
    if (slots !== undefined && !(error instanceof SlotExecError)) throw error;
    throw explainStartFailure(command, cwd, env.PATH ?? '', error instanceof SlotExecError ? error.cause : error);
  }
}
