import type { Reporter, TestModule } from 'vitest/node';

/**
 * Closes a test run with one plain line that any reader of logs understands: `N passed, N failed, N skipped`. It is
 * written as the process exits, after everything else. A file, suite or promise that fails outside a test counts as a
 * failure, so that the line never says `0 failed` of a run that failed.
 */
export default class ClosingLine implements Reporter {
  #line = (exitCode: number) => describe(0, exitCode === 0 ? 0 : 1, 0);

  onInit(): void {
    process.once('exit', (exitCode) => process.stdout.write(`\n${this.#line(exitCode)}\n`));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const suite of [module, ...module.children.allSuites()]) if (suite.errors().length > 0) count.failed += 1;
      for (const test of module.children.allTests()) count[test.result().state] += 1;
    }
    const { passed, failed, skipped, pending } = count;
    this.#line = (exitCode) => describe(passed, Math.max(failed, exitCode === 0 ? 0 : 1), skipped + pending);
  }
}

function describe(passed: number, failed: number, skipped: number): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
