#!/usr/bin/env node
/** Where `cadre` meets its process: arguments, environment, streams, signals, exit code. No other file touches them. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { runCli } from './cli.ts';
import type { Host, Interruption } from './host.ts';

const listeners = new Set<(interruption: Interruption) => void>();
let outputIsClosed = false;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const host: Host = {
  arguments: process.argv.slice(2),
  environment: process.env,
  directory: process.cwd(),
  script: process.argv[1] ?? 'cadre',
  platform: process.platform,
  nodeVersion: process.version,
  pid: process.pid,
  stdout: process.stdout,
  stderr: process.stderr,
  now: () => Date.now(),
  onInterruption(listener) {
    if (listeners.size === 0) for (const signal of signals) process.on(signal, interrupt);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) for (const signal of signals) process.off(signal, interrupt);
    };
  },
  sendSignal(pid, signal) {
    try {
      return process.kill(pid, signal);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
      throw error;
    }
  },
  exit: (code) => process.exit(code),
};

// A reader that goes away (`cadre run | head`), or a terminal that is closed, is a way of saying stop.
process.stdout.on('error', () => {
  if (listeners.size === 0) process.exit(141);
  interruptOnce('SIGPIPE');
});
// What can't be told on stderr can't be told at all.
process.stderr.on('error', () => undefined);

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
);
process.exitCode = await runCli(host, manifest.version);

function interrupt(signal: Interruption): void {
  for (const listener of [...listeners]) listener(signal);
}

/** Every later write fails too; only the first failure is news. */
function interruptOnce(signal: Interruption): void {
  if (outputIsClosed) return;
  outputIsClosed = true;
  interrupt(signal);
}
