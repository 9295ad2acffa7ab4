/**
 * HeaderMap against the simplest thing that could be right: a list of fields, walked from the front every time.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nameBit } from './field-block.ts';
import { HeaderMap } from './header-map.ts';

const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];

interface Field {
  readonly name: string;
  readonly value: string;
  /** As it goes out. */
  readonly line: string;
}

function field(name: string, value: string, line = `${name}: ${value}\r\n`): Field {
  return { name, value, line };
}

/** The list, and every operation in its plainest form. */
class Model {
  fields: Field[];

  constructor(fields: readonly Field[]) {
    this.fields = [...fields];
  }

  all(name: string): string[] {
    return this.fields.filter((one) => one.name.toLowerCase() === name.toLowerCase()).map((one) => one.value);
  }

  set(name: string, value: string): void {
    const isNamed = (one: Field): boolean => one.name.toLowerCase() === name.toLowerCase();
    const place = this.fields.findIndex(isNamed);
    if (place < 0) this.append(name, value);
    else this.fields[place] = field((this.fields[place] as Field).name, value);
    this.fields = this.fields.filter((one, i) => i === place || place < 0 || !isNamed(one));
  }

  append(name: string, value: string): void {
    this.fields.push(field(name, value));
  }

  delete(name: string): boolean {
    const before = this.fields.length;
    this.fields = this.fields.filter((one) => one.name.toLowerCase() !== name.toLowerCase());
    return this.fields.length < before;
  }

  strip(nominated: readonly string[]): void {
    for (const name of [...HOP_BY_HOP, ...nominated]) this.delete(name);
  }

  get contentLength(): number {
    const values = this.all('content-length');
    if (values.length === 0) return -1;
    return values.length === 1 && /^\d{1,15}$/.test(values[0] as string) ? Number(values[0]) : Number.NaN;
  }

  json(): Record<string, string | string[]> {
    const out = new Map<string, string[]>();
    for (const { name, value } of this.fields) {
      const key = name.toLowerCase();
      out.set(key, [...(out.get(key) ?? []), value]);
    }
    return Object.fromEntries(
      [...out].map(([key, values]) => [key, values.length === 1 ? values[0] : values]),
    ) as Record<string, string | string[]>;
  }
}

const names = fc.constantFrom(
  'Host',
  'host',
  'X-A',
  'x-a',
  'X-a',
  'Set-Cookie',
  'set-cookie',
  'Content-Length',
  'content-length',
  'Connection',
  'Keep-Alive',
  'TE',
  'te',
  'Trailer',
  'Transfer-Encoding',
  'UPGRADE',
  'Proxy-Authorization',
  'HTTP2-Settings',
  'X-`|~',
  '__proto__',
  'Accept',
);
const values = fc.oneof(
  fc.constantFrom('', '0', '5', '05', '999999999999999', '1000000000000000', '-1', '5, 5', 'a: b', 'x\xff\x80', 'a\tb'),
  fc.string({ unit: fc.constantFrom('a', 'B', ' ', ':', ',', '\xe9'), maxLength: 8 }).map((text) => text.trim()),
);
const blanks = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 3 });

/** Fields as a parser accepts them: at most one Content-Length, and that a number. */
const parsedFields = fc.array(fc.tuple(names, values, blanks, blanks), { maxLength: 12 }).map((rows) => {
  let lengths = 0;
  return rows
    .filter(([name, value]) => {
      if (name.toLowerCase() !== 'content-length') return true;
      lengths += 1;
      return lengths === 1 && /^\d{1,15}$/.test(value);
    })
    .map(([name, value, before, after]) => field(name, value, `${name}:${before}${value}${after}\r\n`));
});

const edits = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('set' as const), name: names, value: values }),
    fc.record({ kind: fc.constant('append' as const), name: names, value: values }),
    fc.record({ kind: fc.constant('delete' as const), name: names }),
    fc.record({ kind: fc.constant('strip' as const), nominated: fc.array(names, { maxLength: 2 }) }),
    fc.record({ kind: fc.constant('clone' as const) }),
    fc.record({ kind: fc.constant('look' as const), name: names }),
  ),
  { maxLength: 14 },
);

function parsed(fields: readonly Field[], tellNames: boolean): HeaderMap {
  const hopLines: number[] = [];
  let names = 0;
  let at = 0;
  for (const { name, line } of fields) {
    if (HOP_BY_HOP.includes(name.toLowerCase())) hopLines.push(at, at + line.length);
    at += line.length;
    names |= nameBit(name.length, name.charCodeAt(0));
  }
  const block = fields.map(({ line }) => line).join('');
  const length = new Model(fields).contentLength;
  return tellNames ? HeaderMap.fromBlock(block, hopLines, length, names) : HeaderMap.fromBlock(block, hopLines, length);
}

function expectSame(map: HeaderMap, model: Model): void {
  expect(map.serialize()).toBe(model.fields.map(({ line }) => line).join(''));
  expect([...map]).toEqual(model.fields.map(({ name, value }) => [name, value]));
  expect(map.size).toBe(model.fields.length);
  expect(map.contentLength).toBe(model.contentLength);
  expect(Object.entries(map.toJSON())).toEqual(Object.entries(model.json()));
  const hops = model.fields.some(({ name }) => HOP_BY_HOP.includes(name.toLowerCase()));
  if (hops) expect(map.mayHoldHopByHop).toBe(true);
}

/** The first of that name; of several spellings it may be the first of the one asked for. */
function expectPeek(map: HeaderMap, model: Model, name: string): void {
  const [first] = model.all(name);
  const spelt = model.fields.find((one) => one.name === name)?.value ?? first;
  expect([first, spelt]).toContain(map.peek(name));
}

test('HeaderMap behaves as a list of fields does, whatever is done to it and to its clones', () => {
  fc.assert(
    fc.property(parsedFields, edits, fc.boolean(), fc.boolean(), (fields, steps, fromText, tellNames) => {
      const start = new Model(fields);
      if (!fromText) start.fields = fields.map(({ name, value }) => field(name, value));
      const pairs: [HeaderMap, Model][] = [
        [
          fromText
            ? parsed(fields, tellNames)
            : HeaderMap.from(fields.map(({ name, value }) => [name, value] as const)),
          start,
        ],
      ];
      for (const step of steps) {
        // The newest copy is worked on; the others must not notice.
        const [map, model] = pairs[pairs.length - 1] as [HeaderMap, Model];
        if (step.kind === 'set') {
          map.set(step.name, step.value);
          model.set(step.name, step.value);
        } else if (step.kind === 'append') {
          map.append(step.name, step.value);
          model.append(step.name, step.value);
        } else if (step.kind === 'delete') {
          expect(map.delete(step.name)).toBe(model.delete(step.name));
        } else if (step.kind === 'strip') {
          map.stripHopByHop(step.nominated.length > 0 ? step.nominated.map((name) => name.toLowerCase()) : undefined);
          model.strip(step.nominated);
        } else if (step.kind === 'clone') {
          pairs.push([map.clone(), new Model(model.fields)]);
        } else {
          expectPeek(map, model, step.name);
          expect(map.has(step.name)).toBe(model.all(step.name).length > 0);
          expect(map.get(step.name)).toBe(model.all(step.name)[0]);
          expect(map.getAll(step.name)).toEqual(model.all(step.name));
        }
      }
      for (const [map, model] of pairs) expectSame(map, model);
    }),
    { numRuns: 2_000 },
  );
});
