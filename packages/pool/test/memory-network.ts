/**
 * A network in memory for connectors: every connection is a pair of streams whose far end answers requests.
 */
import type { Duplex } from 'node:stream';
import { duplexPair, FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { HttpConnector, type HttpConnectorOptions } from '../src/index.ts';

/** One connection, seen from the upstream. */
export interface FarEnd {
  readonly stream: Duplex;
  /** Heads that arrived. */
  requests: number;
  /** The connector's end is gone. */
  closed: boolean;
}

/** A connector whose connections end in this test, and hand-driven time. */
export interface MemoryNetwork {
  readonly connector: HttpConnector;
  readonly connections: FarEnd[];
  readonly clock: FakeClock;
  readonly wheel: TimerWheel;
  /** What the upstream answers to each head; undefined: nothing. Defaults to an empty 200. */
  answer: (far: FarEnd) => string | undefined;
  /** Runs before a connection is made; may reject, or keep it waiting. */
  beforeConnect: () => Promise<void>;
}

const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** Makes one; the connector's own options come on top. */
export function memoryNetwork(options: HttpConnectorOptions = {}): MemoryNetwork {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  const connections: FarEnd[] = [];
  const connect = async (): Promise<Duplex> => {
    await network.beforeConnect();
    const [near, stream] = duplexPair();
    const far: FarEnd = { stream, requests: 0, closed: false };
    connections.push(far);
    serve(far, network);
    return near;
  };
  const connector = new HttpConnector({ wheel, connect, ...options });
  const network: MemoryNetwork = {
    connector,
    connections,
    clock,
    wheel,
    answer: () => EMPTY,
    beforeConnect: () => Promise.resolve(),
  };
  return network;
}

function serve(far: FarEnd, network: MemoryNetwork): void {
  let received = '';
  far.stream.on('error', () => undefined);
  far.stream.on('end', () => {
    far.closed = true;
    far.stream.destroy();
  });
  far.stream.on('close', () => {
    far.closed = true;
  });
  far.stream.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
      received = received.slice(end + 4);
      far.requests += 1;
      const answer = network.answer(far);
      if (answer !== undefined) far.stream.write(answer, 'latin1');
    }
  });
}

/** Lets everything that is under way in memory arrive. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 8; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
