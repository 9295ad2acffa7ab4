/**
 * The client stops, at every place: nothing happens before the deadline; 408 or the end then, and the upstream is released.
 */
import type { Fault, Pair, Seen } from '../src/fault.ts';
import { BODY } from '../src/fault-client.ts';
import { answered, cut, givenUp, noRequest } from '../src/fault-outcomes.ts';
import type { FaultScene } from '../src/fault-scene.ts';
import { Setting } from '../src/h2-frames.ts';

/** Defaults of the server side. */
const HEAD_TIMEOUT_MS = 10_000;
const BODY_TIMEOUT_MS = 30_000;
const WRITE_TIMEOUT_MS = 60_000;
const IDLE_TIMEOUT_MS = 60_000;

async function begin(scene: FaultScene, framing: 'length' | 'pieces'): Promise<void> {
  const client = await scene.connect();
  scene.asked = client.begin(framing);
  await scene.begun();
}

function tooSlow(pair: Pair): Seen {
  return {
    client: 'answer 408',
    downstream: pair.client === 'h2' ? 'kept' : 'ended',
    ...givenUp(pair),
    log: ['info Downstream ReadTimedout 408', 'access 408, failed'],
    attempts: 1,
    opened: 1,
  };
}

interface Place {
  readonly name: string;
  reach(scene: FaultScene): Promise<void>;
}

const UPLOADS: readonly Place[] = [
  { name: 'after the head of an upload', reach: (scene) => begin(scene, 'length') },
  {
    name: 'in an upload with a length',
    reach: async (scene) => {
      await begin(scene, 'length');
      scene.client.piece(BODY);
    },
  },
  {
    name: 'between the pieces of an upload',
    reach: async (scene) => {
      await begin(scene, 'pieces');
      scene.client.piece(BODY);
    },
  },
  {
    name: 'inside a piece of an upload',
    reach: async (scene) => {
      await begin(scene, 'pieces');
      scene.client.partOfPiece();
    },
  },
];

async function toTheTrailers(scene: FaultScene): Promise<void> {
  await begin(scene, 'pieces');
  scene.client.piece(BODY);
  await scene.settle();
  scene.client.partOfTrailers();
}

export const slowUploads: readonly Fault[] = [
  ...UPLOADS.map(
    ({ name, reach }): Fault => ({
      name,
      play: async (scene) => {
        await reach(scene);
        await scene.deadline(BODY_TIMEOUT_MS);
      },
      expect: tooSlow,
    }),
  ),
  {
    name: 'in the trailers of an upload',
    play: async (scene) => {
      await toTheTrailers(scene);
      await scene.deadline(BODY_TIMEOUT_MS);
    },
    // On HTTP/2 nothing else can come before their end: after the time for a head the connection takes no more requests.
    expect: (pair) => {
      const seen = tooSlow(pair);
      if (pair.client === 'h1') return seen;
      return { ...seen, downstream: 'ended', log: ['refused Downstream ReadTimedout 0', ...seen.log] };
    },
  },
  {
    name: 'in an upload whose answer has begun',
    applies: ({ client }) => client === 'h1',
    play: async (scene) => {
      await begin(scene, 'length');
      scene.origin.requests[0]?.head('length');
      await scene.gets(0);
      await scene.deadline(BODY_TIMEOUT_MS);
    },
    expect: (pair) => ({
      ...cut(pair, '', ''),
      ...givenUp(pair),
      log: ['info Downstream ReadTimedout 200', 'access 200, failed'],
    }),
  },
  {
    name: 'in a conversation',
    applies: ({ client }) => client === 'h2',
    play: async (scene) => {
      await begin(scene, 'pieces');
      scene.origin.requests[0]?.head('pieces');
      await scene.gets(0);
      // On HTTP/2 the client may be silent then; the upstream may not.
      await scene.deadline(2 * BODY_TIMEOUT_MS);
    },
    expect: (pair) => cut(pair, 'ReadTimedout', ''),
  },
];

/** It has its response, as far as it wants it: the rest is given up, upstream too. */
function notRead(pair: Pair, how: 'cut' | 'cut by CANCEL'): Seen {
  return {
    client: `${how} 200 much`,
    downstream: how === 'cut' ? 'ended' : 'kept',
    ...givenUp(pair),
    log: ['info Downstream WriteTimedout 200', 'access 200, failed'],
    attempts: 1,
    opened: 1,
  };
}

export const slowReaders: readonly Fault[] = [
  {
    name: 'reads nothing from its socket',
    play: async (scene) => {
      const client = await scene.connect({
        settings: [[Setting.INITIAL_WINDOW_SIZE, 0x7fffffff]],
        connectionWindow: 0x7fffffff,
      });
      scene.asked = client.ask();
      const request = await scene.arrival();
      request.head('pieces');
      await scene.gets(0);
      client.wire.pause();
      await scene.fill(request);
      await scene.deadline(WRITE_TIMEOUT_MS, 2 * WRITE_TIMEOUT_MS);
      client.wire.resume();
    },
    expect: (pair) => notRead(pair, 'cut'),
  },
  {
    name: 'opens no window',
    applies: ({ client }) => client === 'h2',
    play: async (scene) => {
      const client = await scene.connect({ settings: [[Setting.INITIAL_WINDOW_SIZE, 1_000]], giveWindow: false });
      scene.asked = client.ask();
      const request = await scene.arrival();
      request.head('pieces');
      await scene.fill(request);
      await scene.deadline(WRITE_TIMEOUT_MS, 2 * WRITE_TIMEOUT_MS);
    },
    expect: (pair) => notRead(pair, 'cut by CANCEL'),
  },
];

/** No request has come. */
export const silentClients: readonly Fault[] = [
  {
    name: 'says nothing',
    play: async (scene) => {
      await scene.connectSilently();
      await scene.deadline(HEAD_TIMEOUT_MS);
    },
    // After a handshake for HTTP/2 the preface is due; elsewhere nothing was promised.
    expect: ({ client, tls }) =>
      noRequest(client === 'h2' && tls ? { log: ['refused Downstream ReadTimedout 0'] } : {}),
  },
  {
    name: 'in the head',
    play: async (scene) => {
      const client = await scene.connect();
      scene.asked = client.partOfHead();
      await scene.deadline(HEAD_TIMEOUT_MS);
    },
    expect: ({ client }) =>
      client === 'h1'
        ? noRequest({ client: 'answer 408', log: ['refused Downstream ReadTimedout 408'] })
        : noRequest({ log: ['refused Downstream ReadTimedout 0'] }),
  },
  {
    name: 'says nothing after an answer',
    proxy: { server: { idleTimeoutMs: IDLE_TIMEOUT_MS } },
    play: async (scene) => {
      (await scene.ask()).answer();
      await scene.until(() => scene.asked?.view === 'answer 200 ok', 'the answer');
      await scene.pass(IDLE_TIMEOUT_MS - 200);
      if (scene.client.wire.ending !== undefined) throw new Error('closed too early');
      await scene.pass(400);
    },
    expect: () => answered('ok', { downstream: 'ended' }),
  },
];
