/**
 * Which threads connections come to.
 */
import { get } from 'node:http';

/** How long a thread may take to begin, in milliseconds. */
const START_MS = 20_000;

/**
 * Opens connections one after the other, and answers how many each thread has got; the most first. Begins when all serve:
 * the first ones listen before the last ones.
 */
export async function countThreads(port: number, connections: number, threads: number): Promise<number[]> {
  const seen = new Set<string>();
  const end = performance.now() + START_MS;
  while (seen.size < threads) {
    if (performance.now() > end) throw new Error(`${seen.size} of ${threads} threads serve after ${START_MS} ms`);
    seen.add(await threadOf(port));
  }
  const counts = new Map<string, number>();
  for (let i = 0; i < connections; i += 1) {
    const thread = await threadOf(port);
    counts.set(thread, (counts.get(thread) ?? 0) + 1);
  }
  return [...counts.values()].toSorted((a, b) => b - a);
}

function threadOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', path: '/thread', agent: false }, (response) => {
      let text = '';
      response.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve(text));
    });
    request.once('error', reject);
  });
}
