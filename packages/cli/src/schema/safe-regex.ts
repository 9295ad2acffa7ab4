/**
 * Refuses regular expressions whose matching can take very long. Clients choose what is matched, and one long path must not
 * stop everybody.
 *
 * Two causes: repetitions inside of repetitions, which can take exponential time, and several repetitions that can share one
 * text, which take the length of the text to the power of their number. Stricter than necessary where exactness is not worth it.
 */
import { ALL_CHARS, type CharSet, type RegexNode, regexSyntax } from './regex-syntax.ts';

/** Longer patterns are refused: nobody can check them by eye. */
const MAX_PATTERN_LENGTH = 1_000;

/** Repetitions from this count on are as bad as endless ones. */
const MANY = 10;

/** The most that the time may grow by: with the square of the length. */
const MAX_DEGREE = 2;

/** Why a pattern is refused, as the end of "is no usable pattern:"; undefined when it is fine. */
export function regexProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH)
    return `it has ${pattern.length} characters, ${MAX_PATTERN_LENGTH} are the most`;
  try {
    new RegExp(pattern);
  } catch (error) {
    const reason = (error as Error).message;
    return reason.slice(reason.lastIndexOf(': ') + 2).toLowerCase();
  }
  const node = regexSyntax(pattern);
  if (holds(node, ({ kind }) => kind === 'reference')) return 'back references are not possible';
  if (holds(node, isNestedRepeat))
    return 'a repetition inside of a repetition can take exponential time: write (a|b)* as [ab]*, (a+)* as a*, (/[^/]+)* as /.*';
  if (degreeOf(node) > MAX_DEGREE)
    return 'several repetitions that can share one text take too long: begin with ^, and write [^/]* in the place of .* where a segment is meant';
  return undefined;
}

/** How many groups a valid pattern captures. */
export function groupCount(pattern: string): number {
  return (new RegExp(`${pattern}|`).exec('')?.length ?? 1) - 1;
}

function childrenOf(node: RegexNode): readonly RegexNode[] {
  if (node.kind === 'repeat' || node.kind === 'look') return [node.node];
  return node.kind === 'sequence' || node.kind === 'alternatives' ? node.nodes : [];
}

function holds(node: RegexNode, test: (node: RegexNode) => boolean): boolean {
  return test(node) || childrenOf(node).some((child) => holds(child, test));
}

function isNestedRepeat(node: RegexNode): boolean {
  return node.kind === 'repeat' && node.most >= MANY && holds(node.node, varies);
}

/** Whether one text can be taken in several ways. */
function varies(node: RegexNode): boolean {
  if (node.kind === 'repeat') return node.least !== node.most;
  return node.kind === 'alternatives' && !beginDifferently(node.nodes);
}

/** Whether the first character decides which alternative it is. */
function beginDifferently(nodes: readonly RegexNode[]): boolean {
  let seen: CharSet = 0n;
  for (const node of nodes) {
    const first = firstChars(node);
    if (first === undefined || (first & seen) !== 0n) return false;
    seen |= first;
  }
  return true;
}

/** Characters with which a part begins; undefined where it may be empty or is not that plain. */
function firstChars(node: RegexNode): CharSet | undefined {
  if (node.kind === 'chars') return node.set;
  const [first] = node.kind === 'sequence' ? node.nodes : [];
  return first === undefined ? undefined : firstChars(first);
}

function allChars(node: RegexNode): CharSet {
  if (node.kind === 'chars') return node.set;
  return childrenOf(node).reduce((set, child) => set | allChars(child), 0n);
}

/** A repetition whose end is not decided yet, and how many of them share the text before it. */
interface Live {
  readonly set: CharSet;
  readonly degree: number;
}

/** The power of the length with which the time can grow. */
function degreeOf(node: RegexNode): number {
  let largest = 0;
  const walk = (part: RegexNode, live: readonly Live[]): readonly Live[] => {
    if (part.kind === 'sequence') return part.nodes.reduce((before, one) => walk(one, before), live);
    if (part.kind === 'alternatives') return unique(part.nodes.flatMap((one) => walk(one, live)));
    if (part.kind === 'look') return unique([...live, ...walk(part.node, live)]);
    // A character that a repetition cannot take says where it ends.
    if (part.kind === 'chars') return live.filter(({ set }) => (set & part.set) !== 0n);
    if (part.kind !== 'repeat') return live;
    if (part.most < MANY) return part.least === 0 ? unique([...live, ...walk(part.node, live)]) : walk(part.node, live);
    const set = allChars(part.node);
    const shared = live.filter((one) => (one.set & set) !== 0n).map(({ degree }) => degree);
    const degree = 1 + Math.max(0, ...shared);
    largest = Math.max(largest, degree);
    return unique([...live, { set, degree }]);
  };
  // Without ^ every place of the text is a beginning.
  walk(node, isAnchored(node) ? [] : [{ set: ALL_CHARS, degree: 1 }]);
  return largest;
}

/** Alternatives double what is live: equal ones are kept once, the larger one of two that take the same. */
function unique(live: readonly Live[]): Live[] {
  const bySet = new Map<CharSet, number>();
  for (const { set, degree } of live) bySet.set(set, Math.max(degree, bySet.get(set) ?? 0));
  return Array.from(bySet, ([set, degree]) => ({ set, degree }));
}

function isAnchored(node: RegexNode): boolean {
  if (node.kind === 'start') return true;
  if (node.kind === 'alternatives') return node.nodes.every(isAnchored);
  return node.kind === 'sequence' && node.nodes[0] !== undefined && isAnchored(node.nodes[0]);
}
