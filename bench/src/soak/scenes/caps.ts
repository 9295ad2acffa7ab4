/**
 * Heads and bodies that are too large: the status each size gets. 0 stands for a connection cut without one.
 */
import { exactly, type Figure } from '../figure.ts';
import type { Lab } from '../lab.ts';
import { patientOrigin } from '../own-origins.ts';
import type { Scene } from '../scene.ts';
import { WireConnection } from '../wire-connection.ts';

const MEGABYTE = 2 ** 20;
const ANSWER_TIMEOUT_MS = 5_000;
const START = '/1k HTTP/1.1\r\nHost: soak\r\n';

function fields(count: number, valueBytes: number): string {
  const value = 'v'.repeat(valueBytes);
  return Array.from({ length: count }, (_, index) => `X-Field-${index}: ${value}\r\n`).join('');
}

function get(more: string): string {
  return `GET ${START}${more}\r\n`;
}

function chunkedPost(bytes: number): string {
  const chunk = `4000\r\n${'b'.repeat(0x4000)}\r\n`;
  return `POST ${START}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(bytes / 0x4000)}0\r\n\r\n`;
}

/** What is sent, and what Cirque answers with its default limits, and with bodies of 1 MB at most. */
const CASES: readonly (readonly [name: string, bytes: () => string, status: number])[] = [
  ['a field of 8 KB', () => get(fields(1, 8_000)), 200],
  ['a head of 60 KB', () => get(fields(10, 6_000)), 200],
  ['a head of 2 MB', () => get(fields(1, 2 * MEGABYTE)), 431],
  ['100 fields', () => get(fields(100, 10)), 200],
  ['2,100 fields', () => get(fields(2_100, 10)), 431],
  ['50,000 fields', () => get(fields(50_000, 10)), 431],
  ['a target of 8 KB', () => `GET /1k?${'q'.repeat(8_000)} HTTP/1.1\r\nHost: soak\r\n\r\n`, 200],
  ['a target of 40 KB', () => `GET /1k?${'q'.repeat(40_000)} HTTP/1.1\r\nHost: soak\r\n\r\n`, 414],
  ['2 MB with a length', () => `POST ${START}Content-Length: ${2 * MEGABYTE}\r\n\r\n${'b'.repeat(2 * MEGABYTE)}`, 413],
  ['2 MB in chunks', () => chunkedPost(2 * MEGABYTE), 413],
];

async function statusOf(lab: Lab, bytes: string): Promise<number> {
  const connection = new WireConnection({ port: lab.port });
  try {
    return (await connection.ask('', ANSWER_TIMEOUT_MS, bytes)).status;
  } catch {
    return 0;
  } finally {
    connection.destroy();
  }
}

export const CAPS: Scene = {
  name: 'caps',
  title: 'heads and bodies beyond the limits: the status of the answer',
  async play(lab) {
    const origin = lab.keep(await patientOrigin());
    await lab.startProxy({ maxBodyBytes: MEGABYTE, routes: { '/': [origin.port] } });
    const clients = lab.steady({ clients: 5, perSecond: 100 });
    const figures: Figure[] = [];
    for (const [name, bytes, status] of CASES) figures.push(exactly(name, await statusOf(lab, bytes()), status));
    const { errors, reasons } = clients.seen();
    return [...figures, exactly('healthy errors', errors, 0, reasons.join('; ')), ...(await lab.leftovers())];
  },
};
