// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of a configuration file.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { STARTER_FILE } from '../src/commands/starter-file.ts';
import { gatewayJsonSchema, type JsonSchema } from '../src/schema/json-schema.ts';
import { gatewayReference } from '../src/schema/reference-table.ts';
import { LEAST, RICH } from './issue-examples.ts';
import { misfits } from './json-schema-validator.ts';

const schema = gatewayJsonSchema();

/** Every setting there is, with its path and whether it must be there. */
function settingsOf(node: JsonSchema, path = ''): { path: string; schema: JsonSchema; required: boolean }[] {
  const inner = [...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap((one) => settingsOf(one, path));
  const items = node.items === undefined ? [] : settingsOf(node.items, `${path}[]`);
  const named = typeof node.additionalProperties === 'object' ? settingsOf(node.additionalProperties, `${path}.*`) : [];
  const own = Object.entries(node.properties ?? {}).flatMap(([key, property]) => [
    { path: `${path}.${key}`, schema: property, required: node.required?.includes(key) === true },
    ...settingsOf(property, `${path}.${key}`),
  ]);
  return [...inner, ...items, ...named, ...own];
}

describe('gatewayJsonSchema', () => {
  test('gatewayJsonSchema has a description for every setting, and its default where it may be absent', () => {
    const all = settingsOf(schema);
    expect(all.length).toBeGreaterThan(200);
    const poor = all.filter(({ schema: { description = '', default: fallback }, required }) => {
      const hasDefault = required || fallback !== undefined || description.includes(' Default: ');
      return !hasDefault || !/^[A-Z`\w].*[.)]$/.test(description);
    });
    expect(poor.map(({ path }) => path)).toEqual([]);
  });

  test.each([
    ['the least file', LEAST],
    ['the rich file', RICH],
    ['the starter file', STARTER_FILE],
    ['other forms', 'x-a: 1\nlisteners: [{ address: 80, respond: 204 }]\nthreads: ${N}\naccess_log: true\n'],
    ['variables', 'listeners:\n  - address: ${A}\n    upstream: ${B}\n    http2: ${C}\n    head_timeout: ${D:-5s}\n'],
  ])('gatewayJsonSchema takes %s', (_, text) => {
    expect(misfits(parse(text, { merge: true }), schema)).toEqual([]);
  });

  test.each([
    'listeners: []',
    'listeners: [{ address: ":80", upstream: a, head_timeout: 5 }]',
    'listeners: [{ address: ":80", upstream: a, adress: b }]',
    'listeners: [{ address: ":80", upstream: a, protocol: tpc }]',
    'listeners: [{ address: ":80", upstream: a, protocol: udp, tls: {} }]',
    'listeners: [{ upstream: a }]',
    'listeners: [{ address: ":80", upstream: a }]\nthreads: 0',
    'listeners: [{ address: ":80", upstream: a }]\nupstreams: { a: { servers: [a:1], balance: round_robbin } }',
    'listeners: [{ address: ":80", upstream: a }]\nupstreams: { "a b": [a:1] }',
  ])('gatewayJsonSchema refuses %s', (text) => {
    expect(misfits(parse(text), schema)).not.toEqual([]);
  });

  test('gatewayJsonSchema refuses most of the broken files', () => {
    const folder = fileURLToPath(new URL('broken/', import.meta.url));
    const documents = readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .flatMap((name) => readable(readFileSync(`${folder}${name}`, 'utf8')));
    const refused = documents.filter((document) => misfits(document, schema).length > 0);
    expect(refused.length / documents.length).toBeGreaterThan(0.6);
  });
});

describe('gatewayReference', () => {
  test('gatewayReference has a row for every setting', () => {
    const tables = (['file', 'http', 'tcp', 'udp', 'upstream'] as const).map(gatewayReference).join('\n');
    const rows = new Set(Array.from(tables.matchAll(/^\| `([^`]+)` \|/gm), ([, name]) => name as string));
    const names = settingsOf(schema).map(({ path }) =>
      path.replace('.upstreams.*[].', '.servers[].').replace(/^\.(?:listeners\[\]\.|upstreams\.\*\.)?/, ''),
    );
    expect([...rows].sort()).toEqual([...new Set(names)].sort());
  });

  test('gatewayReference shows value, default and meaning', () => {
    expect(gatewayReference('udp')).toContain(
      '| `max_sessions` | 1 to 1000000 | `65536` | Sessions at a time; the one least used makes room for a new one. |',
    );
    expect(gatewayReference('http')).toContain('| `address` | address | required |');
  });
});

function readable(text: string): unknown[] {
  try {
    return [parse(text, { merge: true, logLevel: 'silent' })];
  } catch {
    return [];
  }
}
