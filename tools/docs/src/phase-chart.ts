/**
 * The phases of a request as a chart and as a table, both from the table that the proxy itself goes by.
 *
 * The chart shows the way of a request that goes well, and for each group of phases where a failure leads; the table
 * is complete.
 */
import { PHASES, type PhaseName, type PhaseRow } from '@cirque/proxy';
import { STREAM_PHASES } from '@cirque/stream';

const isFailure = ({ runs }: PhaseRow): boolean => runs === 'on failure';
const WELL: readonly PhaseRow[] = PHASES.filter((row) => !isFailure(row));
const FAILURES: readonly PhaseRow[] = PHASES.filter(isFailure);

/** Neighbours among the phases of success that fail in the same way. */
interface Group {
  readonly rows: PhaseRow[];
  readonly failures: readonly PhaseName[];
}

function groups(): Group[] {
  const found: Group[] = [];
  for (const row of WELL) {
    const failures = row.next.filter((name) => FAILURES.some((failure) => failure.name === name));
    const last = found.at(-1);
    if (last !== undefined && last.failures.join() === failures.join()) last.rows.push(row);
    else found.push({ rows: [row], failures });
  }
  return found;
}

/** A Mermaid flow chart: solid lines for what goes well, dotted ones for failures and further attempts. */
export function phaseChart(): string {
  const lines = ['```mermaid', 'flowchart TD'];
  for (const [at, { rows, failures }] of groups().entries()) {
    lines.push(`  subgraph group${at}[" "]`, ...rows.map(node).map((line) => `  ${line}`), '  end');
    lines.push(...failures.map((failure) => `  group${at} -.-> ${failure}`));
  }
  lines.push(...FAILURES.map(node));
  lines.push(...WELL.flatMap(wayOn));
  for (const { name, next } of FAILURES) lines.push(...next.map((follower) => `  ${name} -.-> ${follower}`));
  return [...lines, '```'].join('\n');
}

function node({ name, runs }: PhaseRow): string {
  return `  ${name}["${name}${runs === 'once' ? '' : `<br/><i>${runs}</i>`}"]`;
}

/** From a phase to the nearest one after it that goes well, and to the end where it may answer the request itself. */
function wayOn({ name, next, runs }: PhaseRow, at: number): string[] {
  const later = WELL.slice(at + 1).filter((row) => next.includes(row.name));
  const followers = later.filter((row, index) => index === 0 || (row.name === 'logging' && runs === 'once'));
  return followers.map((follower) => `  ${name} --> ${follower.name}`);
}

/** The same for those who see no chart, and every way from one phase to another. */
export function phaseTable(): string {
  return tableOf(PHASES, 'the next request');
}

/** The phases of a TCP connection, from the table that TCP proxies go by. */
export function streamPhaseTable(): string {
  return tableOf(STREAM_PHASES, '(the end)');
}

function tableOf(
  phases: readonly { readonly name: string; readonly runs: string; readonly next: readonly string[] }[],
  end: string,
): string {
  const rows = phases.map(({ name, runs, next }) => {
    const followers = next.map((follower) => `\`${follower}\``).join(', ');
    return `| \`${name}\` | ${runs} | ${followers === '' ? end : followers} |`;
  });
  return ['| Phase | Runs | What may come next |', '|---|---|---|', ...rows].join('\n');
}
