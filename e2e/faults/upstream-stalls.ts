/**
 * The upstream stops, at every place: nothing happens before the deadline, and 504 or a cut then.
 */
import type { Fault, Pair, Seen } from '../src/fault.ts';
import { BODY } from '../src/fault-client.ts';
import type { OriginRequest } from '../src/fault-origin-request.ts';
import { answered, cut, errorAnswer, givenUp } from '../src/fault-outcomes.ts';
import type { FaultScene } from '../src/fault-scene.ts';
import { answerPart } from './upstream-deaths.ts';

/** Defaults of the peer. */
const CONNECTION_TIMEOUT_MS = 10_000;
const READ_TIMEOUT_MS = 60_000;
const WRITE_TIMEOUT_MS = 60_000;
const IDLE_TIMEOUT_MS = 60_000;

const NEVER_REACHED = { upstream: 'none', attempts: 0, opened: 0 } as const;

interface Place {
  readonly name: string;
  reach(request: OriginRequest, scene: FaultScene): Promise<void>;
  outcome(pair: Pair): Seen;
}

/** An HTTP/2 connection that has brought nothing whole meanwhile may be dead: it is closed as those of HTTP/1 are. */
const PLACES: readonly Place[] = [
  {
    name: 'before the head',
    reach: async () => {},
    // On a new HTTP/2 connection the settings came behind the request: it lives.
    outcome: (pair) => errorAnswer(pair, 'ReadTimedout', 504, givenUp(pair)),
  },
  {
    name: 'in the head',
    reach: async (request) => request.partOfHead(),
    outcome: (pair) => errorAnswer(pair, 'ReadTimedout', 504),
  },
  {
    name: 'after the head',
    reach: async (request, scene) => {
      request.head('length');
      await scene.gets(0);
    },
    outcome: (pair) => cut(pair, 'ReadTimedout', ''),
  },
  {
    name: 'in a body with a length',
    reach: (request, scene) => answerPart(request, scene, 'length'),
    outcome: (pair) => cut(pair, 'ReadTimedout', BODY),
  },
  {
    name: 'between the pieces of a body',
    reach: (request, scene) => answerPart(request, scene, 'pieces'),
    outcome: (pair) => cut(pair, 'ReadTimedout', BODY),
  },
  {
    name: 'inside a piece of a body',
    reach: async (request, scene) => {
      await answerPart(request, scene, 'pieces');
      request.partOfPiece();
    },
    outcome: (pair) => cut(pair, 'ReadTimedout', `${BODY}${pair.origin === 'h1' ? 'hel' : 'h'}`),
  },
  {
    name: 'in the trailers',
    reach: async (request, scene) => {
      await answerPart(request, scene, 'pieces');
      request.partOfTrailers();
    },
    outcome: (pair) => cut(pair, 'ReadTimedout', BODY),
  },
];

export const upstreamStalls: readonly Fault[] = [
  ...PLACES.map(
    ({ name, reach, outcome }): Fault => ({
      name,
      play: async (scene) => {
        const request = await scene.ask();
        await reach(request, scene);
        await scene.deadline(READ_TIMEOUT_MS);
      },
      expect: outcome,
    }),
  ),
  {
    name: 'before the head, on a pooled connection',
    warm: true,
    play: async (scene) => {
      await scene.ask();
      await scene.deadline(READ_TIMEOUT_MS);
    },
    // It is at work perhaps, so nothing is sent twice.
    expect: (pair) => errorAnswer(pair, 'ReadTimedout', 504),
  },
  {
    name: 'before the head, while the connection lives',
    applies: ({ origin }) => origin === 'h2',
    play: async (scene) => {
      await scene.ask();
      await scene.pass(READ_TIMEOUT_MS / 2);
      scene.origin.sayPing();
      await scene.deadline(READ_TIMEOUT_MS / 2);
    },
    expect: (pair) => errorAnswer(pair, 'ReadTimedout', 504, { upstream: 'cancelled', idle: 1 }),
  },
  {
    name: 'in the upload',
    play: async (scene) => {
      const client = await scene.connect();
      scene.asked = client.begin('pieces');
      const request = await scene.begun();
      request.wire.pause();
      await scene.fill(client);
      // Noticed within twice the time after the last progress.
      await scene.deadline(WRITE_TIMEOUT_MS, 2 * WRITE_TIMEOUT_MS);
      request.wire.resume();
    },
    expect: (pair) => errorAnswer(pair, 'WriteTimedout', 504),
  },
];

export const connectStalls: readonly Fault[] = [
  {
    name: 'no answer to connecting',
    blackHole: true,
    play: async (scene) => {
      const client = await scene.connect();
      scene.asked = client.ask();
      await scene.underWay();
      await scene.deadline(CONNECTION_TIMEOUT_MS);
    },
    expect: (pair) => errorAnswer(pair, 'ConnectTimedout', 504, NEVER_REACHED),
  },
  {
    name: 'no answer to connecting, totalConnectionTimeoutMs',
    blackHole: true,
    peer: { totalConnectionTimeoutMs: 2_000 },
    play: async (scene) => {
      const client = await scene.connect();
      scene.asked = client.ask();
      await scene.underWay();
      await scene.deadline(2_000);
    },
    expect: (pair) => errorAnswer(pair, 'ConnectTimedout', 504, NEVER_REACHED),
  },
  {
    name: 'no SETTINGS',
    applies: ({ origin }) => origin === 'h2',
    play: async (scene) => {
      scene.origin.greets = false;
      await scene.ask();
      await scene.deadline(CONNECTION_TIMEOUT_MS);
    },
    // Whatever it is, it is no HTTP/2 server.
    expect: (pair) => errorAnswer(pair, 'H2Error', 502, { upstream: 'closed with SETTINGS_TIMEOUT' }),
  },
];

/** A connection that nobody uses is closed before the upstream does so. */
export const idleUpstreams: readonly Fault[] = [
  {
    name: 'an idle connection to the upstream',
    peer: { idleTimeoutMs: IDLE_TIMEOUT_MS },
    play: async (scene) => {
      (await scene.ask()).answer();
      await scene.until(() => scene.site.stats.upstream.idle === 1, 'the idle connection');
      await scene.pass(IDLE_TIMEOUT_MS - 200);
      if (scene.site.stats.upstream.idle !== 1) throw new Error('closed too early');
      await scene.pass(400);
    },
    expect: () => answered('ok', { upstream: 'closed', idle: 0 }),
  },
];
