// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of a configuration file.
/** Whatever a file holds: a configuration, or one error of ours with places. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { GatewayConfigError, gatewayConfigFromText } from '../src/index.ts';
import { gatewayJsonSchema, type JsonSchema } from '../src/schema/json-schema.ts';
import { LEAST, RICH } from './issue-examples.ts';

/** Answers whether the text was accepted; anything but an error of ours is thrown on. */
function accepts(text: string): boolean {
  try {
    gatewayConfigFromText(text, 'fuzz.yaml', { env: { A: 'a', N: '1' }, warn: () => {} });
    return true;
  } catch (error) {
    if (!(error instanceof GatewayConfigError)) throw error;
    expect(error.problems.length).toBeGreaterThan(0);
    for (const { line, column, message } of error.problems) {
      expect(line).toBeGreaterThan(0);
      expect(column).toBeGreaterThan(0);
      expect(message).not.toMatch(/undefined|\[object|Invalid input/);
    }
    return false;
  }
}

/** Words of the schema, so that random documents get somewhere. */
function keysOf(node: JsonSchema): string[] {
  const inner = [node.items, node.additionalProperties, ...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  return [
    ...Object.entries(node.properties ?? {}).flatMap(([key, property]) => [key, ...keysOf(property)]),
    ...inner.flatMap((one) => (typeof one === 'object' ? keysOf(one) : [])),
  ];
}

const keys = fc.constantFrom(
  ...new Set(keysOf(gatewayJsonSchema())),
  'app',
  '__proto__',
  'constructor',
  '',
  '<<',
  'a.b',
);
const scalars = fc.oneof(
  fc.constantFrom(
    'http',
    'tcp',
    'udp',
    'app',
    ':80',
    '127.0.0.1:1',
    '5s',
    '10m',
    '/',
    '$1',
    '${A}',
    '${N}',
    '${UNSET}',
    '*.a',
  ),
  fc.constantFrom(0, 1, -1, 1.5, 80, true, false, null, Number.NaN, Number.POSITIVE_INFINITY),
  fc.string(),
  fc.string({ unit: 'binary' }),
);
const { document } = fc.letrec((tie) => ({
  document: fc.oneof({ maxDepth: 6, depthSize: 'medium' }, scalars, tie('map'), tie('list')),
  map: fc.dictionary(keys, tie('document'), { maxKeys: 6 }),
  list: fc.array(tie('document'), { maxLength: 3 }),
}));

test('gatewayConfigFromText throws nothing but GatewayConfigError for random documents', () => {
  const files = fc.record({
    listeners: fc.array(fc.dictionary(keys, document, { maxKeys: 8 }), { maxLength: 3 }),
    upstreams: fc.dictionary(fc.constantFrom('app', 'b', 'constructor', '__proto__'), document, { maxKeys: 2 }),
  });
  fc.assert(
    fc.property(fc.oneof(document, files), (value) => void accepts(stringify(value))),
    { numRuns: 400 },
  );
});

test('gatewayConfigFromText throws nothing but GatewayConfigError for random texts', () => {
  const pieces = fc.constantFrom(
    ...[
      '- ',
      ': ',
      '\n',
      '  ',
      '{',
      '}',
      '[',
      ']',
      '&a ',
      '*a',
      '<<: ',
      '"',
      "'",
      '|',
      '>',
      '#',
      '? ',
      '!!map ',
      '--- ',
      '%',
    ],
    ...['listeners', 'upstreams', 'address', 'app', ':80', '${A}', '\t', '\0', '\ud800', '!!binary x', '!!set '],
  );
  const texts = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(texts, fc.string({ unit: 'binary' })), (text) => void accepts(text)),
    { numRuns: 1_000 },
  );
});

test('gatewayConfigFromText survives any cut and any changed character of a good file', () => {
  for (const text of [LEAST, RICH]) {
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(40), fc.string({ maxLength: 3 }), (at, length, put) => {
        accepts(text.slice(0, at) + put + text.slice(at + length));
      }),
      { numRuns: 200 },
    );
  }
});

test('gatewayConfigFromText accepts what the examples are', () => {
  expect([LEAST, RICH].map(accepts)).toEqual([true, true]);
});

test.each([
  ['deep lists', '['.repeat(20_000)],
  ['deep maps', '{a: '.repeat(20_000)],
  ['deep blocks', Array.from({ length: 3_000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
  ['a circle', 'listeners: &a [*a]\nupstreams: &b { app: *b }\n'],
  ['a circle of merges', 'x-a: &a { <<: *a }\nlisteners: *a\n'],
])('gatewayConfigFromText refuses %s', (_, text) => {
  expect(accepts(text)).toBe(false);
});
