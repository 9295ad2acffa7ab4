/**
 * Short connections: each sends a greeting, waits for the whole answer, and closes.
 */
import { connect } from 'node:net';
import type { Greeting, LoadReport } from './load-script.ts';
import { Tally } from './tally.ts';

export interface HelloLoad {
  readonly port: number;
  readonly clients: number;
  readonly durationMs: number;
  readonly greetings: readonly Greeting[];
  readonly answerBytes: number;
}

/** Connections; one that is cut or answered by the wrong upstream is an error. */
export async function loadHello({ port, clients, durationMs, greetings, answerBytes }: HelloLoad): Promise<LoadReport> {
  const tally = new Tally();
  const end = performance.now() + durationMs;
  const kinds = greetings.map(({ send, answer }) => ({
    send: Buffer.from(send, 'latin1'),
    answer: Buffer.from(answer),
  }));
  let next = 0;
  const client = async (): Promise<void> => {
    while (performance.now() < end) {
      const { send, answer } = kinds[next++ % kinds.length] as (typeof kinds)[number];
      const begun = performance.now();
      if (await greet(port, send, answer, answerBytes)) tally.done(begun, send.length + answerBytes);
      else tally.errors += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return tally.report();
}

/** True when the answer has the right length and beginning. */
export function greet(port: number, send: Buffer, answer: Buffer, answerBytes: number): Promise<boolean> {
  return new Promise((resolve) => {
    let received = 0;
    let isRight = true;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.write(send);
    socket.on('data', (bytes: Buffer) => {
      if (received === 0) isRight = bytes.subarray(0, answer.length).equals(answer);
      received += bytes.length;
      if (received >= answerBytes) socket.destroy();
    });
    socket.on('error', () => {
      isRight = false;
    });
    socket.once('close', () => resolve(isRight && received === answerBytes));
  });
}
