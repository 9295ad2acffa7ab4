/**
 * Prints the one line a run ends with: `N passed, N failed` or `N passed, N failed, N skipped`.
 * Whatever can fail a run counts: tests, files that do not load, failing hooks of a suite, unhandled errors, a run
 * that vitest calls failed for another reason (coverage threshold), and a run in which nothing ran.
 */
import type { Reporter, TestModule, TestSuite } from 'vitest/node';

function brokenSuites(module: TestModule): number {
  let broken = 0;
  for (const suite of module.children.allSuites() as Iterable<TestSuite>) if (suite.errors().length > 0) broken++;
  return broken;
}

export default class ClosingLineReporter implements Reporter {
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  #armed = false;

  onInit(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#failed = 1; // until the run has ended, an exit is a failure
    process.once('exit', (code) => this.#print(code));
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: string): void {
    this.#passed = 0;
    this.#skipped = 0;
    this.#failed = errors.length;
    for (const module of modules) this.#count(module);
    if (reason === 'failed' && this.#failed === 0) this.#failed = 1;
  }

  #count(module: TestModule): void {
    this.#failed += module.errors().length + brokenSuites(module);
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') this.#passed++;
      else if (state === 'skipped') this.#skipped++;
      else this.#failed++;
    }
  }

  #print(code: number): void {
    if (this.#failed === 0 && (code !== 0 || this.#passed + this.#skipped === 0)) this.#failed = 1;
    const skipped = this.#skipped > 0 ? `, ${this.#skipped} skipped` : '';
    process.stdout.write(`${this.#passed} passed, ${this.#failed} failed${skipped}\n`);
  }
}
