// The outcome as a table, and in words what is wrong with it.
import type { AllKinds } from './load/all-kinds.ts';

/** Prints the table. @returns what should not be. */
export function report(load: AllKinds, upgrades: number): string[] {
  const { tallies, resumptions, http2, servedBy, requests, failed } = load;
  console.log(row('', 'number', 'failed', 'resets', 'slowest'));
  for (const { kind, done, failed: bad, resets, slowestMs } of tallies) {
    console.log(row(kind, done, bad, resets, `${Math.round(slowestMs)} ms`));
  }
  console.log(`${requests} requests, ${failed} failures of any kind`);
  const { offered, resumed, byAnother } = resumptions;
  console.log(
    `TLS sessions: ${resumed} of ${offered} resumed, ${byAnother} of them by another process than began them`,
  );
  console.log(`HTTP/2: ${http2.connections} connections, ${http2.refused} requests refused by GOAWAY and sent again`);
  const shares = [...servedBy].map(([pid, count]) => `${count} by process ${pid}`);
  console.log(`served: ${shares.join(', ')}`);
  return [...tallies.flatMap(({ failures }) => failures), ...missing(load, upgrades)];
}

/** What has to have happened; otherwise the figures above would say nothing. */
function missing({ servedBy, resumptions, tallies }: AllKinds, upgrades: number): string[] {
  const problems = tallies.filter(({ done }) => done === 0).map(({ kind }) => `nothing was sent: ${kind}`);
  if (servedBy.size !== upgrades + 1) problems.push(`${servedBy.size} processes have served, not ${upgrades + 1}`);
  if (resumptions.byAnother < upgrades)
    problems.push('sessions were not resumed by another process after each upgrade');
  return problems;
}

function row(kind: string, ...columns: readonly (string | number)[]): string {
  return kind.padEnd(26) + columns.map((column) => String(column).padStart(10)).join('');
}
