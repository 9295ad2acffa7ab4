/**
 * Turns what zod reports into sentences, each with its place: what is wrong, the value, what would be right.
 */
import type { z } from 'zod';
import { nearest, type Synonyms } from '../schema/basic-values.ts';
import type { IssueFacts } from '../schema/leaf.ts';
import { PROTOCOLS } from '../schema/listener-schema.ts';
import type { DocumentPath } from './document-path.ts';
import type { GatewayProblem } from './gateway-config-error.ts';
import type { YamlSource } from './yaml-source.ts';

type Issue = z.core.$ZodIssue;

/** Other words for protocols. */
const PROTOCOL_SYNONYMS: Synonyms = {
  https: 'http, with tls',
  http2: 'http',
  h2: 'http',
  grpc: 'http',
  stream: 'tcp',
  ssl: 'tcp',
  tls: 'tcp, with tls',
  dns: 'udp',
};

/** The problems that issues stand for. Their paths begin at `base`. What the environment lacks has been reported already. */
export function describeIssues(
  issues: readonly Issue[],
  source: YamlSource,
  base: DocumentPath = [],
): readonly GatewayProblem[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path];
    return source.isUnknown(path) ? [] : describeIssue(issue, source, path);
  });
}

function describeIssue(issue: Issue, source: YamlSource, path: DocumentPath): readonly GatewayProblem[] {
  switch (issue.code) {
    case 'custom':
      return [describeOwn(issue.message, factsOf(issue), source, path)];
    case 'invalid_union':
      return describeUnion(issue, source, path);
    case 'invalid_type':
      return [source.at(path, wanted(expectedType(issue.expected), source, path))];
    case 'too_small':
      return [source.at(path, `must have at least ${String(issue.minimum)} entry, got ${source.shown(path)}`)];
    case 'invalid_key':
      return issue.issues.map((one) => describeKey(factsOf(one), source, path));
    default:
      return [source.at(path, `is not usable: ${issue.message}`)];
  }
}

/** Issues of leaf.ts and settings.ts. */
function describeOwn(message: string, facts: IssueFacts, source: YamlSource, path: DocumentPath): GatewayProblem {
  const { expects, hint, secret } = facts;
  const words = expects === undefined ? message : wanted(expects, source, path, secret);
  return source.at(path, withHint(words, hint, source, path), facts.key === true ? 'key' : 'value');
}

/** The branch that is for this type of value says what is wrong; where there is none, all say what they are for. */
function describeUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  source: YamlSource,
  path: DocumentPath,
): readonly GatewayProblem[] {
  if ('discriminator' in issue && issue.discriminator !== undefined) return [describeProtocol(source, path)];
  const fitting = issue.errors.find((issues) => !issues.some(isMismatch));
  if (fitting !== undefined) return describeIssues(fitting, source, path);
  const all = issue.errors.flat();
  const expected = new Set(all.filter(isMismatch).flatMap(expectationsOf));
  const facts = all.map(factsOf);
  const secret = facts.some((one) => one.secret === true);
  const words = wanted([...expected].join(', or '), source, path, secret);
  const hint = facts.find((one) => one.hint !== undefined)?.hint;
  return [source.at(path, withHint(words, hint, source, path))];
}

function describeProtocol(source: YamlSource, path: DocumentPath): GatewayProblem {
  const given = source.valueAt(path);
  const hint = typeof given === 'string' ? nearest(given, PROTOCOLS, PROTOCOL_SYNONYMS) : undefined;
  return source.at(path, withHint(wanted(`one of ${PROTOCOLS.join(', ')}`, source, path), hint, source, path));
}

function describeKey({ expects, hint }: IssueFacts, source: YamlSource, path: DocumentPath): GatewayProblem {
  return source.at(path, withHint(`is a key that must be ${expects}`, hint, source, path), 'key');
}

function wanted(expects: string, source: YamlSource, path: DocumentPath, secret = false): string {
  if (source.valueAt(path) === undefined) return `is missing: it must be ${expects}`;
  return secret ? `must be ${expects}` : `must be ${expects}, got ${source.shown(path)}`;
}

/** Hints may repeat the value, so those for values of the environment are left out. */
function withHint(words: string, hint: string | undefined, source: YamlSource, path: DocumentPath): string {
  return hint === undefined || hint === '' || source.isSubstituted(path) ? words : `${words}: ${hint}`;
}

function expectationsOf(issue: Issue): string[] {
  if (issue.code === 'invalid_type') return [expectedType(issue.expected)];
  if (issue.code === 'invalid_union') return issue.errors.flatMap((issues) => issues.flatMap(expectationsOf));
  const { expects } = factsOf(issue);
  return expects === undefined ? [] : [expects];
}

/** Whether the value is of another type than the branch is for. */
function isMismatch(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_type') return true;
  if (issue.code === 'invalid_union') return issue.errors.every((issues) => issues.some(isMismatch));
  return factsOf(issue).mismatch === true;
}

function factsOf(issue: Issue): IssueFacts {
  return issue.code === 'custom' ? ((issue.params ?? {}) as IssueFacts) : {};
}

function expectedType(expected: string): string {
  if (expected === 'object' || expected === 'record') return 'a map';
  return expected === 'array' ? 'a list' : `a ${expected}`;
}
