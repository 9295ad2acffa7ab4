/**
 * Limits of a request head at and beyond the figure (architecture section 3: 64 KiB and 200 fields; RFC 9112 section 3).
 */
import { accepted, head, type RequestCase, refused } from '../src/case.ts';

const HOST = 'Host: h.example';

function fields(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `X-${index}: ${index}`);
}

function longTarget(length: number): string {
  return `/${'a'.repeat(length - 1)}`;
}

/** A whole head of exactly this many octets, made long by one field. */
function headOf(size: number): string {
  const bare = head('GET /limit HTTP/1.1', HOST, 'X-Long: ');
  return head('GET /limit HTTP/1.1', HOST, `X-Long: ${'x'.repeat(size - bare.length)}`);
}

const many = fields(199);

export const limitCases: readonly RequestCase[] = [
  {
    name: 'a target of 8000 octets',
    source: 'RFC 9112 3',
    bytes: head(`GET ${longTarget(8_000)} HTTP/1.1`, HOST),
    expect: accepted({ target: longTarget(8_000) }),
  },
  {
    name: 'a target of 70000 octets',
    source: 'RFC 9110 15.5.15',
    bytes: head(`GET ${longTarget(70_000)} HTTP/1.1`, HOST),
    expect: refused(414),
    large: true,
  },
  {
    name: 'a target without end',
    source: 'RFC 9110 15.5.15',
    bytes: `GET ${longTarget(200_000)}`,
    expect: refused(414),
    large: true,
  },
  {
    name: 'a method without end',
    source: 'RFC 9112 3',
    bytes: 'A'.repeat(200_000),
    expect: refused(400, 414, 431, 501),
    large: true,
  },
  {
    name: '100 fields',
    source: 'security section 7: accept 8 KB and 100 fields',
    bytes: head('GET /limit HTTP/1.1', HOST, ...fields(99)),
    expect: accepted({ exactly: [HOST, ...fields(99)] }),
  },
  {
    name: '200 fields',
    source: 'RFC 6585 5; CVE-2026-58044 class',
    bytes: head('GET /limit HTTP/1.1', HOST, ...many),
    expect: accepted({ exactly: [HOST, ...many] }),
  },
  {
    name: '201 fields',
    source: 'RFC 6585 5; CVE-2026-58044 class',
    bytes: head('GET /limit HTTP/1.1', HOST, ...fields(200)),
    expect: refused(431),
  },
  {
    name: '201 fields of which the last frames the body',
    source: 'CVE-2026-58044 class',
    bytes: `${head('POST /limit HTTP/1.1', HOST, ...many, 'Content-Length: 5')}hello`,
    expect: refused(431),
  },
  {
    name: '200 fields of which the last frames the body',
    source: 'CVE-2026-58044 class',
    bytes: `${head('POST /limit HTTP/1.1', HOST, ...fields(198), 'Content-Length: 5')}hello`,
    expect: accepted({ body: 'hello' }),
  },
  {
    name: '50000 fields',
    source: 'RFC 6585 5',
    bytes: head('GET /limit HTTP/1.1', HOST, ...Array<string>(50_000).fill('a:b')),
    expect: refused(431),
    large: true,
  },
  {
    name: 'a head of 60 KiB',
    source: 'RFC 6585 5',
    bytes: headOf(61_440),
    expect: accepted({ target: '/limit' }),
    large: true,
  },
  {
    name: 'a head of 65 KiB',
    source: 'RFC 6585 5',
    bytes: headOf(66_560),
    expect: refused(431),
    large: true,
  },
  {
    name: 'a head of 2 MB',
    source: 'RFC 6585 5',
    bytes: headOf(2_000_000),
    expect: refused(431),
    large: true,
  },
  {
    name: 'a field name without end',
    source: 'RFC 6585 5',
    bytes: `${head('GET / HTTP/1.1', HOST).slice(0, -2)}${'x'.repeat(100_000)}`,
    expect: refused(431, 400),
    large: true,
  },
  {
    name: 'a field value without end',
    source: 'RFC 6585 5',
    bytes: `${head('GET / HTTP/1.1', HOST).slice(0, -2)}X-A: ${'x'.repeat(100_000)}`,
    expect: refused(431),
    large: true,
  },
  {
    name: 'many middling fields of 65 KiB together',
    source: 'RFC 6585 5',
    bytes: head('GET / HTTP/1.1', HOST, ...Array<string>(130).fill(`X-A: ${'x'.repeat(500)}`)),
    expect: refused(431),
    large: true,
  },
];
