/**
 * What fields cost: looking them up, editing, copying and printing a head of a browser.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import { test } from 'vitest';

import type { HeaderMap as Fields } from '../src/index.ts';

const { HeaderMap, nameBit } = createRequire(import.meta.url)('../src/index.ts') as typeof import('../src/index.ts');

const short = { time: 200, warmupTime: 50 };
const ROUNDS = 1_000;

const LINES = [
  'Host: www.example.com\r\n',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0\r\n',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n',
  'Accept-Language: de,en-US;q=0.7,en;q=0.3\r\n',
  'Accept-Encoding: gzip, deflate, br, zstd\r\n',
  'Connection: keep-alive\r\n',
  'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n',
  'Upgrade-Insecure-Requests: 1\r\n',
  'X-Request-Id: 6f1c2d3e4b5a69788796a5b4c3d2e1f0\r\n',
];
const BLOCK = LINES.join('');
const connectionAt = LINES.slice(0, 5).join('').length;
const HOPS = [connectionAt, connectionAt + (LINES[5] as string).length];
const NAMES = LINES.reduce((bits, line) => bits | nameBit(line.indexOf(':'), line.charCodeAt(0)), 0);

/** A thousand new maps per sample, so that the measuring itself does not count. */
function thousand(one: (map: Fields) => unknown): () => void {
  return () => {
    for (let i = 0; i < ROUNDS; i += 1) one(HeaderMap.fromBlock(BLOCK, HOPS, -1, NAMES));
  };
}

test('1,000 heads of nine fields', async ({ bench }) => {
  await bench.compare(
    bench(
      'made, and nothing else',
      thousand((map) => map),
    ),
    bench(
      'serialize',
      thousand((map) => map.serialize()),
    ),
    bench(
      'clone, stripHopByHop, serialize',
      thousand((map) => {
        const copy = map.clone();
        copy.stripHopByHop(undefined);
        return copy.serialize();
      }),
    ),
    bench(
      'get the first field',
      thousand((map) => map.get('host')),
    ),
    bench(
      'get the last field, in another case',
      thousand((map) => map.get('x-request-id')),
    ),
    bench(
      'has a field that is not there',
      thousand((map) => map.has('Date')),
    ),
    bench(
      'append, serialize',
      thousand((map) => {
        map.append('X-Forwarded-For', '192.0.2.7');
        return map.serialize();
      }),
    ),
    bench(
      'set a field that is there, serialize',
      thousand((map) => {
        map.set('Host', 'api.internal');
        return map.serialize();
      }),
    ),
    bench(
      'five edits, stripHopByHop, serialize',
      thousand((map) => {
        map.set('Host', 'api.internal');
        map.set('X-Request-Id', '1');
        map.append('X-Forwarded-For', '192.0.2.7');
        map.append('Via', '1.1 gateway');
        map.delete('Cookie');
        map.stripHopByHop(undefined);
        return map.serialize();
      }),
    ),
    bench(
      'iterate',
      thousand((map) => [...map].length),
    ),
    short,
  );
});
