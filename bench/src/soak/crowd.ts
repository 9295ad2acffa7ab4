/**
 * Child process of the soak: a crowd of clients that behave as the script says (argument: JSON of {@link CrowdScript}).
 *
 * Writes `begun` when every connection was begun. Each line on stdin is answered with a {@link CrowdReport} as one line of
 * JSON. Closes everything and ends when stdin ends.
 */
import { createInterface } from 'node:readline';
import { CrowdMember } from './crowd-member.ts';
import type { CrowdReport, CrowdScript, Range } from './crowd-script.ts';

const TICK_MS = 10;

const script = JSON.parse(process.argv[2] ?? '{}') as CrowdScript;
const members: CrowdMember[] = [];
const startedAt = performance.now();

const ticker = setInterval(() => {
  const due = Math.min(script.count, Math.ceil(((performance.now() - startedAt) / 1000) * script.perSecond));
  while (members.length < due) members.push(new CrowdMember(script));
  if (members.length < script.count) return;
  clearInterval(ticker);
  process.stdout.write('begun\n');
}, TICK_MS);

function rangeOf(times: readonly (readonly [number | undefined, number | undefined])[]): Range | undefined {
  const spans = times.flatMap(([from, to]) => (from === undefined || to === undefined ? [] : [to - from]));
  if (spans.length === 0) return undefined;
  spans.sort((a, b) => a - b);
  return { firstMs: Math.round(spans[0] as number), lastMs: Math.round(spans.at(-1) as number) };
}

function answersOf(): Record<string, number> {
  const answers: Record<string, number> = {};
  for (const { status } of members) if (status !== undefined) answers[status] = (answers[status] ?? 0) + 1;
  return answers;
}

function report(): CrowdReport {
  const count = (is: (member: CrowdMember) => boolean): number => members.filter(is).length;
  const connected = ({ connectedAt }: CrowdMember): boolean => connectedAt !== undefined;
  const unanswered = (member: CrowdMember): boolean =>
    connected(member) && member.closedAt !== undefined && member.status === undefined;
  return {
    begun: members.length,
    connected: count(connected),
    open: count((member) => member.isOpen),
    answers: answersOf(),
    closedUnanswered: count(unanswered),
    reset: count((member) => unanswered(member) && member.errorCode === 'ECONNRESET'),
    refused: count((member) => !connected(member) && member.closedAt !== undefined),
    waiting: count((member) => member.closedAt === undefined && member.status === undefined),
    answered: rangeOf(members.map(({ connectedAt, answeredAt }) => [connectedAt, answeredAt])),
    closed: rangeOf(members.map(({ connectedAt, closedAt }) => [connectedAt, closedAt])),
    receivedBytes: members.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
  };
}

const questions = createInterface({ input: process.stdin });
questions.on('line', () => process.stdout.write(`${JSON.stringify(report())}\n`));
questions.once('close', () => {
  for (const member of members) member.leave();
  process.exit(0);
});
