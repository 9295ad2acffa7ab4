// Gets the list in every coding, then posts something compressed: npm run example -- compression/client ADDRESS
import { once } from 'node:events';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';

const [address = '127.0.0.1:6207'] = process.argv.slice(2);

/** The body as it is on the wire, which `fetch` does not show. */
async function send(path: string, options: RequestOptions, body?: Buffer): Promise<Buffer> {
  const call = request(`http://${address}${path}`, { ...options, agent: false });
  call.end(body);
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  return buffer(response);
}

const plain = await send('/list', {});
for (const coding of ['gzip', 'br', 'zstd']) {
  const encoded = await send('/list', { headers: { 'Accept-Encoding': coding } });
  console.log(`${coding}: ${encoded.length * 5 < plain.length ? 'less than a fifth' : 'hardly shorter'}`);
}

const headers = { 'Content-Encoding': 'gzip' };
console.log((await send('/', { method: 'POST', headers }, gzipSync('x'.repeat(10_000)))).toString().trimEnd());
