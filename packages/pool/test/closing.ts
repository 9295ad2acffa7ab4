/** What a test opened, so that one `afterEach` closes it, whatever became of the test. */

const closers: (() => unknown)[] = [];

/** Has `closeAll` call this, the last one first. */
export function closeLater(close: () => unknown): void {
  closers.push(close);
}

/** Closes everything since the last call; for `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}
