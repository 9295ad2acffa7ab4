/**
 * The upstream's connection ends at every place of its answer: FIN or RST, as both versions of HTTP know them.
 */
import type { Fault, Pair, Seen } from '../src/fault.ts';
import { BODY } from '../src/fault-client.ts';
import type { OriginRequest } from '../src/fault-origin-request.ts';
import { answered, cut, errorAnswer, retried } from '../src/fault-outcomes.ts';
import type { FaultScene } from '../src/fault-scene.ts';

type Death = 'FIN' | 'RST';

const DEATHS: readonly Death[] = ['FIN', 'RST'];
/** What a cut connection is called in the log. */
export const TYPE: Readonly<Record<Death, string>> = { FIN: 'ConnectionClosed', RST: 'ReadError' };

interface Place {
  readonly name: string;
  readonly applies?: (pair: Pair) => boolean;
  /** Sends everything up to the place. */
  reach(request: OriginRequest, scene: FaultScene): Promise<void>;
  outcome(pair: Pair, death: Death): Seen;
}

const toH1 = ({ origin }: Pair): boolean => origin === 'h1';

export async function answerPart(
  request: OriginRequest,
  scene: FaultScene,
  framing: 'length' | 'pieces',
): Promise<void> {
  request.head(framing);
  request.piece(BODY);
  await scene.gets(BODY.length);
}

const PLACES: readonly Place[] = [
  {
    name: 'before the head',
    reach: async () => {},
    outcome: (pair, death) => errorAnswer(pair, TYPE[death], 502),
  },
  {
    name: 'in the head',
    reach: async (request) => request.partOfHead(),
    outcome: (pair, death) => errorAnswer(pair, TYPE[death], 502),
  },
  {
    name: 'after the head',
    reach: async (request, scene) => {
      request.head('length');
      await scene.gets(0);
    },
    outcome: (pair, death) => cut(pair, TYPE[death], ''),
  },
  {
    name: 'in a body with a length',
    reach: (request, scene) => answerPart(request, scene, 'length'),
    outcome: (pair, death) => cut(pair, TYPE[death], BODY),
  },
  {
    name: 'between the pieces of a body',
    reach: (request, scene) => answerPart(request, scene, 'pieces'),
    outcome: (pair, death) => cut(pair, TYPE[death], BODY),
  },
  {
    name: 'inside a piece of a body',
    reach: async (request, scene) => {
      await answerPart(request, scene, 'pieces');
      request.partOfPiece();
    },
    // The part that came is passed on as it comes.
    outcome: (pair, death) => cut(pair, TYPE[death], `${BODY}${pair.origin === 'h1' ? 'hel' : 'h'}`),
  },
  {
    name: 'in the trailers',
    reach: async (request, scene) => {
      await answerPart(request, scene, 'pieces');
      request.partOfTrailers();
    },
    outcome: (pair, death) => cut(pair, TYPE[death], BODY),
  },
  {
    name: 'in a body without framing',
    applies: toH1,
    reach: async (request, scene) => {
      request.head('close');
      request.piece(BODY);
      await scene.gets(BODY.length);
    },
    // FIN is the end of such a body; a reset never is.
    outcome: (pair, death) =>
      death === 'FIN' ? answered(BODY, { upstream: 'closed', idle: 0 }) : cut(pair, TYPE[death], BODY),
  },
];

export function die(request: OriginRequest, death: Death): void {
  if (death === 'FIN') request.wire.finish();
  else request.wire.reset();
}

function deathAt(place: Place, death: Death): Fault {
  return {
    name: `${death} ${place.name}`,
    ...(place.applies === undefined ? {} : { applies: place.applies }),
    play: async (scene) => {
      const request = await scene.ask();
      await place.reach(request, scene);
      await scene.settle();
      die(request, death);
    },
    expect: (pair) => place.outcome(pair, death),
  };
}

/** The client is still sending. */
function deathInUpload(death: Death): Fault {
  return {
    name: `${death} in the upload`,
    play: async (scene) => {
      const client = await scene.connect();
      scene.asked = client.begin('pieces');
      const request = await scene.begun();
      client.piece(BODY);
      await scene.settle();
      die(request, death);
    },
    expect: (pair) => errorAnswer(pair, TYPE[death], 502),
  };
}

/** On new connections: nothing of this is retried. */
export const upstreamDeaths: readonly Fault[] = [
  ...DEATHS.map(deathInUpload),
  ...PLACES.flatMap((place) => DEATHS.map((death) => deathAt(place, death))),
];

/** On connections that have served before: an idempotent request of which no answer has begun is sent once more. */
export const staleConnections: readonly Fault[] = DEATHS.flatMap((death): Fault[] => [
  {
    name: `${death} before the head of a GET`,
    warm: true,
    play: async (scene) => die(await scene.ask('GET'), death),
    expect: () => retried(TYPE[death]),
  },
  {
    name: `${death} before the head of a POST`,
    warm: true,
    play: async (scene) => die(await scene.ask('POST'), death),
    expect: (pair) => errorAnswer(pair, TYPE[death], 502),
  },
  {
    name: `${death} in the head of a GET`,
    warm: true,
    play: async (scene) => {
      const request = await scene.ask('GET');
      request.partOfHead();
      await scene.settle();
      die(request, death);
    },
    // HTTP/2 has only whole heads: a part of one is no answer yet.
    expect: (pair) => (pair.origin === 'h2' ? retried(TYPE[death]) : errorAnswer(pair, TYPE[death], 502)),
  },
  {
    name: `${death} while idle`,
    warm: true,
    play: async (scene) => {
      const [idle] = scene.origin.wires;
      if (death === 'FIN') idle?.finish();
      else idle?.reset();
      await scene.settle();
      (await scene.ask('POST')).answer();
    },
    // The dead one is not used, so nothing has to be retried, whatever the method.
    expect: () => answered(BODY, { opened: 2 }),
  },
]);

/** There is no connection to begin with. */
export const refusals: readonly Fault[] = [
  {
    name: 'connection refused',
    play: async (scene) => {
      scene.origin.stopListening();
      const client = await scene.connect();
      scene.asked = client.ask();
    },
    expect: (pair) => errorAnswer(pair, 'ConnectRefused', 502, { upstream: 'none', attempts: 0, opened: 0 }),
  },
];
