/**
 * HTTP/2 origins end a stream by RST_STREAM, or announce the end of their connection by GOAWAY (RFC 9113 section 8.7).
 */
import type { Fault, Pair, Seen } from '../src/fault.ts';
import { BODY } from '../src/fault-client.ts';
import type { OriginRequest } from '../src/fault-origin-request.ts';
import { answered, cut, errorAnswer, retried } from '../src/fault-outcomes.ts';
import type { FaultScene } from '../src/fault-scene.ts';
import type { Code } from '../src/h2-frames.ts';
import { answerPart } from './upstream-deaths.ts';

type Play = (request: OriginRequest, scene: FaultScene) => Promise<void> | void;

const fromH2 = ({ origin }: Pair): boolean => origin === 'h2';
/** The stream is over, its connection is not. */
const KEPT = { upstream: 'kept', idle: 1 } as const;

function row(
  name: string,
  method: 'GET' | 'POST',
  play: Play,
  expect: (pair: Pair) => Seen,
  more: Partial<Fault> = {},
): Fault {
  return { name, applies: fromH2, play: async (scene) => play(await scene.ask(method), scene), expect, ...more };
}

/** Codes that say nothing about whether the request was processed. */
const OTHER_CODES: readonly (keyof typeof Code)[] = ['NO_ERROR', 'INTERNAL_ERROR', 'CANCEL', 'ENHANCE_YOUR_CALM'];

export const streamResets: readonly Fault[] = [
  ...(['GET', 'POST'] as const).map((method) =>
    row(
      `RST_STREAM REFUSED_STREAM before the head of a ${method}`,
      method,
      (request) => request.resetStream('REFUSED_STREAM'),
      // It was not processed, so any method may be sent again; by the same connection, which is in order.
      () => retried('H2Error', method === 'GET' ? 'ok' : BODY, { ...KEPT, opened: 1 }),
    ),
  ),
  ...OTHER_CODES.flatMap((code) => [
    row(
      `RST_STREAM ${code} before the head`,
      'GET',
      (request) => request.resetStream(code),
      (pair) => errorAnswer(pair, 'H2Error', 502, KEPT),
      { warm: true },
    ),
    row(
      `RST_STREAM ${code} in the body`,
      'GET',
      async (request, scene) => {
        await answerPart(request, scene, 'pieces');
        request.resetStream(code);
      },
      (pair) => cut(pair, 'H2Error', BODY, KEPT),
    ),
  ]),
  row(
    'RST_STREAM REFUSED_STREAM after the head',
    'GET',
    async (request, scene) => {
      request.head('length');
      await scene.gets(0);
      request.resetStream('REFUSED_STREAM');
    },
    (pair) => cut(pair, 'H2Error', '', KEPT),
  ),
  row(
    'RST_STREAM HTTP_1_1_REQUIRED, where there is no HTTP/1.1',
    'GET',
    (request) => request.resetStream('HTTP_1_1_REQUIRED'),
    (pair) => errorAnswer(pair, 'H2Downgrade', 502, KEPT),
  ),
  row(
    'RST_STREAM within the head',
    'GET',
    (request) => {
      request.partOfHead();
      request.resetStream('CANCEL');
    },
    // No other frame may come there (RFC 9113 section 6.10): the connection is lost.
    (pair) => errorAnswer(pair, 'H2Error', 502, { upstream: 'closed with PROTOCOL_ERROR' }),
  ),
  row(
    'RST_STREAM within the trailers',
    'GET',
    async (request, scene) => {
      await answerPart(request, scene, 'pieces');
      request.partOfTrailers();
      request.resetStream('CANCEL');
    },
    (pair) => cut(pair, 'H2Error', BODY, { upstream: 'closed with PROTOCOL_ERROR' }),
  ),
];

export const goaways: readonly Fault[] = [
  ...(['GET', 'POST'] as const).map((method) =>
    row(
      `GOAWAY below the stream, before the head of a ${method}`,
      method,
      (request) => request.goaway('none'),
      () => retried('H2Error', method === 'GET' ? 'ok' : BODY),
    ),
  ),
  row(
    'GOAWAY below the stream, in the body',
    'GET',
    async (request, scene) => {
      await answerPart(request, scene, 'pieces');
      request.goaway('none');
    },
    // Whatever it says: an answer had begun, so another one cannot take its place.
    (pair) => cut(pair, 'H2Error', BODY),
  ),
  row(
    'GOAWAY, then the answer',
    'GET',
    async (request, scene) => {
      request.goaway('this');
      await scene.settle();
      request.answer();
    },
    () => answered('ok', { upstream: 'closed', idle: 0 }),
  ),
  row(
    'GOAWAY while idle',
    'POST',
    (request) => request.answer(),
    () => answered(BODY, { opened: 2 }),
    {
      warm: true,
      play: async (scene) => {
        scene.origin.sayGoaway();
        await scene.settle();
        (await scene.ask('POST')).answer();
      },
    },
  ),
  ...(['NO_ERROR', 'INTERNAL_ERROR'] as const).flatMap((code) => [
    row(
      `GOAWAY ${code} and FIN before the head`,
      'GET',
      (request) => {
        request.goaway('this', code);
        request.wire.finish();
      },
      // It may have been processed, and the connection has not answered before.
      (pair) => errorAnswer(pair, 'ConnectionClosed', 502),
    ),
    row(
      `GOAWAY ${code} and FIN before the head, on a pooled connection`,
      'GET',
      (request) => {
        request.goaway('this', code);
        request.wire.finish();
      },
      () => retried('ConnectionClosed'),
      { warm: true },
    ),
    row(
      `GOAWAY ${code} and FIN in the body`,
      'GET',
      async (request, scene) => {
        await answerPart(request, scene, 'length');
        request.goaway('this', code);
        request.wire.finish();
      },
      (pair) => cut(pair, 'ConnectionClosed', BODY),
    ),
  ]),
];
