/**
 * The client leaves at every place of its request and of its answer: FIN, RST, and on HTTP/2 RST_STREAM.
 */
import type { Fault, Pair, Seen } from '../src/fault.ts';
import { BODY } from '../src/fault-client.ts';
import { answered, clientLeft, noRequest } from '../src/fault-outcomes.ts';
import type { FaultScene } from '../src/fault-scene.ts';
import { answerPart } from './upstream-deaths.ts';

type Departure = 'FIN' | 'RST' | 'RST_STREAM';

const DEPARTURES: readonly Departure[] = ['FIN', 'RST', 'RST_STREAM'];
const TYPE: Readonly<Record<Departure, string>> = {
  FIN: 'ConnectionClosed',
  RST: 'ReadError',
  RST_STREAM: 'ConnectionClosed',
};

interface Place {
  readonly name: string;
  reach(scene: FaultScene): Promise<void>;
  /** What the client had got: 499 in the log when there was no head yet. */
  readonly status: 499 | 200;
}

async function begin(scene: FaultScene, framing: 'length' | 'pieces'): Promise<void> {
  const client = await scene.connect();
  scene.asked = client.begin(framing);
  await scene.begun();
}

async function upload(scene: FaultScene, framing: 'length' | 'pieces'): Promise<void> {
  await begin(scene, framing);
  scene.client.piece(BODY);
  await scene.settle();
}

const PLACES: readonly Place[] = [
  { name: 'after the head of an upload', reach: (scene) => begin(scene, 'length'), status: 499 },
  { name: 'in an upload with a length', reach: (scene) => upload(scene, 'length'), status: 499 },
  { name: 'between the pieces of an upload', reach: (scene) => upload(scene, 'pieces'), status: 499 },
  {
    name: 'while it waits',
    reach: async (scene) => void (await scene.ask()),
    status: 499,
  },
  {
    name: 'while it waits for the answer to an upload',
    reach: async (scene) => void (await scene.ask('POST')),
    status: 499,
  },
  {
    name: 'after the head of the answer',
    reach: async (scene) => {
      (await scene.ask()).head('length');
      await scene.gets(0);
    },
    status: 200,
  },
  {
    name: 'in an answer with a length',
    reach: async (scene) => answerPart(await scene.ask(), scene, 'length'),
    status: 200,
  },
  {
    name: 'between the pieces of an answer',
    reach: async (scene) => answerPart(await scene.ask(), scene, 'pieces'),
    status: 200,
  },
];

/** Within a frame, or a block of fields, no RST_STREAM can come. */
const HALF_PLACES: readonly Place[] = [
  {
    name: 'inside a piece of an upload',
    reach: async (scene) => {
      await upload(scene, 'pieces');
      scene.client.partOfPiece();
    },
    status: 499,
  },
  {
    name: 'in the trailers of an upload',
    reach: async (scene) => {
      await upload(scene, 'pieces');
      scene.client.partOfTrailers();
    },
    status: 499,
  },
];

export function leave(scene: FaultScene, how: Departure): void {
  if (how === 'RST_STREAM') {
    scene.client.cancel();
    // The client has forgotten the stream, not its connection.
    scene.cancelled = true;
    return;
  }
  scene.clientLeft = true;
  if (how === 'FIN') scene.client.wire.finish();
  else scene.client.wire.reset();
}

const can =
  (how: Departure) =>
  (pair: Pair): boolean =>
    how !== 'RST_STREAM' || pair.client === 'h2';

function outcome(pair: Pair, how: Departure, status: 499 | 200): Seen {
  const detail = how === 'RST_STREAM' ? ({ downstream: 'kept' } as const) : {};
  return clientLeft(pair, TYPE[how], status, detail);
}

function departureAt(place: Place, how: Departure): Fault {
  return {
    name: `${how} ${place.name}`,
    applies: can(how),
    play: async (scene) => {
      await place.reach(scene);
      await scene.settle();
      leave(scene, how);
    },
    expect: (pair) => outcome(pair, how, place.status),
  };
}

export const clientDeaths: readonly Fault[] = [
  ...PLACES.flatMap((place) => DEPARTURES.map((how) => departureAt(place, how))),
  ...HALF_PLACES.flatMap((place) => (['FIN', 'RST'] as const).map((how) => departureAt(place, how))),
];

/** There is no request yet: nothing goes upstream, nothing is logged. */
export const earlyDeaths: readonly Fault[] = (['FIN', 'RST'] as const).flatMap((how): Fault[] => [
  {
    name: `${how} before the first octet`,
    play: async (scene) => {
      await scene.connectSilently();
      await scene.settle();
      leave(scene, how);
    },
    expect: () => noRequest({ client: 'left', downstream: 'left' }),
  },
  {
    name: `${how} in the head`,
    play: async (scene) => {
      (await scene.connect()).partOfHead();
      await scene.settle();
      leave(scene, how);
    },
    expect: () => noRequest({ client: 'left', downstream: 'left' }),
  },
  {
    name: `${how} between two requests`,
    warm: true,
    play: async (scene) => {
      (await scene.ask()).answer();
      await scene.until(() => scene.asked?.view === 'answer 200 ok', 'the answer');
      leave(scene, how);
    },
    expect: () => answered('ok', { downstream: 'left' }),
  },
]);

/** HTTP/2: the client takes no more answers than it has asked for, and these it takes. */
export const clientGoaways: readonly Fault[] = [
  {
    name: 'GOAWAY while it waits',
    applies: ({ client }) => client === 'h2',
    play: async (scene) => {
      const request = await scene.ask();
      scene.client.sayGoaway();
      await scene.settle();
      request.answer();
    },
    expect: () => answered('ok'),
  },
];

/** `abortOnClose: false`: a client that has only ended its side gets its answer. */
export const halfClosed: readonly Fault[] = [
  {
    name: 'FIN while it waits, with abortOnClose: false',
    proxy: { server: { abortOnClose: false } },
    play: async (scene) => {
      const request = await scene.ask();
      leave(scene, 'FIN');
      await scene.settle();
      request.answer();
    },
    expect: () => answered('ok', { downstream: 'left' }),
  },
  {
    name: 'FIN in an upload, with abortOnClose: false',
    proxy: { server: { abortOnClose: false } },
    play: async (scene) => {
      await upload(scene, 'length');
      leave(scene, 'FIN');
    },
    expect: (pair) => clientLeft(pair, TYPE.FIN),
  },
  {
    name: 'FIN in the answer, with abortOnClose: false',
    proxy: { server: { abortOnClose: false } },
    play: async (scene) => {
      const request = await scene.ask();
      await answerPart(request, scene, 'length');
      leave(scene, 'FIN');
      await scene.settle();
      request.piece(BODY);
      request.end();
    },
    expect: () => answered(BODY + BODY, { downstream: 'left' }),
  },
];

/** The proxy has not reached the upstream yet: it stops trying. */
export const deathsWhileConnecting: readonly Fault[] = DEPARTURES.map((how) => ({
  name: `${how} while the proxy connects`,
  applies: can(how),
  blackHole: true,
  play: async (scene: FaultScene) => {
    const client = await scene.connect();
    scene.asked = client.ask();
    await scene.until(() => scene.site.stats.active === 1, 'the request at the proxy');
    await scene.settle();
    leave(scene, how);
  },
  expect: (pair: Pair) => ({ ...outcome(pair, how, 499), upstream: 'none', attempts: 0, opened: 0, idle: 0 }),
}));
