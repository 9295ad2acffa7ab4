/**
 * Any order of requests, answers, failures and time: nobody waits for ever, no place is given twice, nothing is left.
 */
import { SeededRandom } from '@cirque/testing';
import { expect, test } from 'vitest';
import { settle } from '../test/memory-network.ts';
import { Recorder, request } from '../test/open-session.ts';
import { type RawHttp2, type RawNetwork, rawNetwork } from '../test/raw-http2.ts';
import type { ClientSession } from './client-session.ts';
import { HttpPeer } from './peer.ts';

const MAX_CONNECTIONS = 3;
const MAX_STREAMS = 4;

/** One request from its wish to its end. */
class Wish {
  session: ClientSession | undefined;
  settled = false;
  over = false;
  readonly controller = new AbortController();

  constructor(net: RawNetwork, peer: HttpPeer, careful: boolean) {
    const wanted = net.connector.getSession(peer, { signal: this.controller.signal, careful });
    Promise.resolve(wanted).then(
      (session) => this.#use(session),
      () => this.#end(),
    );
  }

  #end(): void {
    this.settled = true;
    this.over = true;
  }

  #use(session: ClientSession): void {
    this.settled = true;
    this.session = session;
    const recorder = new Recorder();
    recorder.onLine = (line) => {
      if (line.startsWith('end')) this.leave('release');
      else if (line.startsWith('error')) this.over = true;
    };
    session.handler = recorder;
    try {
      session.writeHead(request(), 0);
    } catch {
      this.leave('abort');
    }
  }

  leave(how: 'release' | 'abort'): void {
    if (this.over || this.session === undefined) return;
    this.over = true;
    this.session[how]();
  }
}

function disturb(origin: RawHttp2, random: SeededRandom): void {
  const id = origin.requests.at(-1) ?? 1;
  switch (random.int(0, 7)) {
    case 0:
      origin.goaway(random.int(0, 1) === 0 ? 2 ** 31 - 1 : Math.max(0, id - 2));
      break;
    case 1:
      origin.settings([3, random.int(1, MAX_STREAMS)]);
      break;
    case 2:
      origin.stream.end();
      break;
    case 3:
      origin.stream.destroy(new Error('reset'));
      break;
    case 4:
      if (origin.requests.length > origin.answered) origin.reset(id, random.int(0, 13));
      break;
    default:
      for (; origin.answered < origin.requests.length; ) origin.answer(origin.requests[origin.answered] as number);
  }
}

async function run(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const net = rawNetwork({ poolSize: 2 });
  net.onConnection = (origin) => {
    if (random.int(0, 3) > 0) origin.settings([3, random.int(1, MAX_STREAMS)]);
  };
  net.beforeConnect = () => (random.int(0, 5) === 0 ? Promise.reject(new Error('refused')) : Promise.resolve());
  const peer = new HttpPeer('origin:80', {
    alpn: 'h2',
    maxConnections: MAX_CONNECTIONS,
    maxH2Streams: MAX_STREAMS,
    maxPendingRequests: 10,
    connectionTimeoutMs: 2_000,
    readTimeoutMs: 3_000,
    idleTimeoutMs: 1_000,
    totalConnectionTimeoutMs: random.int(0, 1) * 5_000,
  });
  const wishes: Wish[] = [];
  for (let i = 0; i < 150; i += 1) {
    const kind = random.int(0, 9);
    const living = net.origins.filter(({ closed }) => !closed);
    const origin = living[random.int(0, Math.max(0, living.length - 1))];
    if (kind <= 4) wishes.push(new Wish(net, peer, kind === 0));
    else if (kind === 5) wishes[random.int(0, Math.max(0, wishes.length - 1))]?.leave('abort');
    else if (kind === 6) wishes[random.int(0, Math.max(0, wishes.length - 1))]?.controller.abort();
    else if (kind === 7) net.clock.advance(random.int(0, 800));
    else if (origin !== undefined) disturb(origin, random);
    if (random.int(0, 2) === 0) await settle();
    const { active, h2Streams } = net.connector.stats;
    expect(active).toBeLessThanOrEqual(MAX_CONNECTIONS);
    expect(h2Streams).toBeLessThanOrEqual(MAX_CONNECTIONS * MAX_STREAMS);
    expect(Object.values(net.connector.stats.peers)[0]?.active ?? 0).toBe(h2Streams);
  }
  // Nobody disturbs any more: time alone ends it all.
  for (let i = 0; i < 40 && wishes.some(({ over }) => !over); i += 1) {
    for (const origin of net.origins) if (!origin.closed && i % 2 === 0) disturb(origin, new SeededRandom(seed + i));
    await net.pass(1_000);
  }
  expect(wishes.filter(({ settled }) => !settled)).toEqual([]);
  for (const wish of wishes) wish.leave('abort');
  net.connector.close();
  await net.pass(2_000);
  await settle();
  expect(net.connector.stats).toMatchObject({ active: 0, idle: 0, waiting: 0, h2Connections: 0, h2Streams: 0 });
  expect(net.wheel.size).toBe(0);
}

test.each(Array.from({ length: 60 }, (_, seed) => seed))('Http2Connector: random operations, seed %d', run);
