/**
 * TLS handshakes that end too early, or not at all.
 */
import type { Socket } from 'node:net';
import type { Fault, Pair } from '../src/fault.ts';
import { errorAnswer, noRequest } from '../src/fault-outcomes.ts';
import type { FaultScene } from '../src/fault-scene.ts';
import { leave } from './client-deaths.ts';

/** Default of the peer. */
const CONNECTION_TIMEOUT_MS = 10_000;
const HANDSHAKE_TIMEOUT_MS = 100;

const withTls = ({ tls }: Pair): boolean => tls;
const NEVER_REACHED = { upstream: 'none', attempts: 0, opened: 0 } as const;

/** The origin has accepted the connection, and got the first message of the proxy. */
async function inHandshake(scene: FaultScene): Promise<Socket> {
  scene.origin.speaks = false;
  const client = await scene.connect();
  scene.asked = client.ask();
  await scene.until(() => (scene.origin.silent[0]?.bytesRead ?? 0) > 0, 'the ClientHello at the origin');
  return scene.origin.silent[0] as Socket;
}

export const upstreamHandshakes: readonly Fault[] = [
  {
    name: 'FIN of the upstream',
    applies: withTls,
    play: async (scene) => void (await inHandshake(scene)).end(),
    expect: (pair) => errorAnswer(pair, 'TLSHandshakeFailure', 502, NEVER_REACHED),
  },
  {
    name: 'RST of the upstream',
    applies: withTls,
    play: async (scene) => void (await inHandshake(scene)).resetAndDestroy(),
    expect: (pair) => errorAnswer(pair, 'TLSHandshakeFailure', 502, NEVER_REACHED),
  },
  {
    name: 'the upstream stops',
    applies: withTls,
    play: async (scene) => {
      await inHandshake(scene);
      await scene.deadline(CONNECTION_TIMEOUT_MS);
    },
    expect: (pair) => errorAnswer(pair, 'TLSHandshakeTimedout', 504, NEVER_REACHED),
  },
];

/** How TransportStack begins its lines. */
const FAILED = 'warn connection refused: the handshake failed Downstream';
/** Whoever looks whether a port is open sends FIN. */
const LINES = {
  FIN: 'debug the client left during the handshake Downstream ConnectionClosed',
  RST: `${FAILED} TLSHandshakeFailure`,
};

export const clientHandshakes: readonly Fault[] = [
  ...(['FIN', 'RST'] as const).map(
    (how): Fault => ({
      name: `${how} of the client`,
      applies: withTls,
      play: async (scene) => {
        await scene.connectSilently(false);
        await scene.settle();
        leave(scene, how);
      },
      expect: () => noRequest({ client: 'left', downstream: 'left', log: [LINES[how]] }),
    }),
  ),
  {
    name: 'the client stops',
    applies: withTls,
    handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
    play: async (scene) => {
      await scene.connectSilently(false);
      await scene.until(() => scene.client.wire.ending !== undefined, 'the end of the connection');
    },
    expect: () => noRequest({ log: [`${FAILED} TLSHandshakeTimedout`] }),
  },
];
