/** What a test opened, so that one `afterEach` closes it, whatever became of the test. */

const closers: (() => Promise<unknown>)[] = [];

/** Has `closeAll` call this. */
export function closeLater(close: () => Promise<unknown>): void {
  closers.push(close);
}

/** Closes everything since the last call; for `afterEach`. */
export async function closeAll(): Promise<void> {
  await Promise.all(closers.splice(0).map((close) => close()));
}
