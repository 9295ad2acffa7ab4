/**
 * Answers of an HTTP/1.1 origin, as an HTTP/2 client gets them: RFC 9113 section 8.1.
 */
import { answer, type H2Case, streamError } from '../../src/h2-case.ts';
import { request } from '../../src/h2-client.ts';
import { Code, data, headers } from '../../src/h2-frames.ts';
import { block } from '../../src/h2-hpack.ts';
import { fieldOf } from '../../src/h2-stream-record.ts';
import { plainAnswer } from '../../src/recording-origin.ts';
import { bodyIs } from './judge.ts';
import { answerWith } from './scripts.ts';

export const answers: readonly H2Case[] = [
  {
    name: 'HEAD',
    source: 'RFC 9110 9.3.2',
    play: (client) => void client.ask(request('/', 'HEAD')),
    expect: [answer()],
    check: (_, client) => {
      const { bodySize, head = [] } = client.stream(1) ?? {};
      if (bodySize !== 0 || fieldOf(head, 'content-length') !== '2') throw new Error(`${bodySize} octets of body`);
    },
  },
  ...[204, 304].map(
    (status): H2Case => ({
      name: `an answer of ${status}`,
      source: 'RFC 9110 6.4.1',
      play: (client, rig) => {
        answerWith(rig, ({ connection }) => connection.send(`HTTP/1.1 ${status} X\r\nETag: "a"\r\n\r\n`));
        client.ask();
      },
      expect: [answer(1, status)],
      forwarded: 1,
    }),
  ),
  {
    name: 'fields of the connection to the origin do not reach the client',
    source: 'RFC 9113 8.2.2',
    play: (client, rig) => {
      answerWith(
        rig,
        plainAnswer(
          'ok',
          'Connection: X-Hop, close',
          'X-Hop: 1',
          'Keep-Alive: timeout=5',
          'Upgrade: h2c',
          'X-Keep: Yes',
        ),
      );
      client.ask();
    },
    expect: [answer()],
    check: (_, client) => {
      const { head = [] } = client.stream(1) ?? {};
      if (fieldOf(head, 'x-hop') !== undefined || fieldOf(head, 'x-keep') !== 'Yes')
        throw new Error(JSON.stringify(head));
    },
  },
  {
    name: 'a chunked answer with trailers',
    source: 'RFC 9113 8.1',
    play: (client, rig) => {
      answerWith(rig, ({ connection }) =>
        connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n'),
      );
      client.ask(request('/', 'GET', ['te', 'trailers']));
    },
    expect: [answer()],
    check: (_, client) => {
      const stream = client.stream(1);
      bodyIs(stream?.body, 'abc');
      if (fieldOf(stream?.trailers ?? [], 'x-sum') !== '42') throw new Error('no trailer at the client');
    },
  },
  {
    name: 'interim answers',
    source: 'RFC 9113 8.1',
    play: (client, rig) => {
      answerWith(rig, (arrival) => {
        arrival.connection.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
        plainAnswer()(arrival);
      });
      client.ask();
    },
    expect: [answer()],
    check: (_, client) => {
      const hints = client.stream(1)?.interim.map((fields) => fieldOf(fields, ':status'));
      if (hints?.join() !== '103') throw new Error(`interim answers ${hints}`);
    },
  },
  {
    name: 'an answer before the request has ended',
    source: 'RFC 9113 8.1',
    play: (client, rig) => {
      rig.origin.onHead = ({ connection }) =>
        connection.send('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno');
      const id = client.take();
      client.send(headers(id, block(request('/', 'POST'))), data(id, 'abc'));
      return client
        .until(() => client.stream(1)?.reset !== undefined, 'the reset after the answer')
        .then(() => {
          rig.origin.onHead = undefined;
        });
    },
    expect: [answer(1, 413)],
    forwarded: 0,
    check: (_, client) => {
      if (client.stream(1)?.reset !== Code.NO_ERROR) throw new Error(`reset with ${client.stream(1)?.reset}`);
    },
  },
  {
    name: 'an answer that is cut is seen to be cut',
    source: 'RFC 9113 8.1',
    play: (client, rig) => {
      answerWith(rig, ({ connection }) => {
        connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
        connection.wire.finish();
      });
      client.ask();
    },
    expect: [streamError(1, Code.INTERNAL_ERROR, Code.CANCEL, Code.PROTOCOL_ERROR)],
    forwarded: 1,
  },
  {
    name: 'an origin that is gone',
    source: 'RFC 9110 15.6.3',
    play: async (client, rig) => {
      // A reset of a connection that was used before would be tried again.
      await rig.origin.hangUp();
      answerWith(rig, ({ connection }) => connection.wire.reset());
      client.ask();
    },
    expect: [answer(1, 502)],
    forwarded: 1,
  },
];
