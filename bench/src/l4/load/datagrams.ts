/**
 * UDP clients that ask and wait for the answer: each question from a port of its own, or all from the same.
 */
import { createSocket, type Socket } from 'node:dgram';
import type { LoadReport } from './load-script.ts';
import { Tally } from './tally.ts';

export interface DatagramLoad {
  readonly port: number;
  readonly clients: number;
  readonly durationMs: number;
  readonly bytes: number;
  /** Each question from a port of its own. */
  readonly newPorts: boolean;
}

/** An answer that is not there then is lost. */
const LOST_AFTER_MS = 1_000;

/** Round trips; a lost or wrong answer is an error. */
export async function loadDatagrams(load: DatagramLoad): Promise<LoadReport> {
  const { port, clients, durationMs, bytes, newPorts } = load;
  const tally = new Tally();
  const end = performance.now() + durationMs;
  const client = async (_: unknown, number: number): Promise<void> => {
    const question = Buffer.alloc(bytes, 'q');
    question.writeUInt32BE(number);
    let asker = new Asker(port);
    while (performance.now() < end) {
      const begun = performance.now();
      if (await asker.ask(question)) tally.done(begun, 2 * bytes);
      else tally.errors += 1;
      if (!newPorts) continue;
      asker.close();
      asker = new Asker(port);
    }
    asker.close();
  };
  await Promise.all(Array.from({ length: clients }, client));
  return tally.report();
}

/** One client with a port of its own. */
export class Asker {
  readonly #port: number;
  readonly #socket: Socket = createSocket({ type: 'udp4', lookup: isAddress });
  #answered: ((bytes: Buffer | undefined) => void) | undefined;

  constructor(port: number) {
    this.#port = port;
    this.#socket.on('message', (bytes) => this.#answered?.(bytes));
    // Nobody receives there, say: lost.
    this.#socket.on('error', () => this.#answered?.(undefined));
  }

  /** True when the answer is the question. */
  ask(question: Buffer, lostAfterMs: number = LOST_AFTER_MS): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answered?.(undefined), lostAfterMs);
      this.#answered = (bytes) => {
        clearTimeout(timer);
        this.#answered = undefined;
        resolve(bytes?.equals(question) === true);
      };
      this.#socket.send(question, this.#port, '127.0.0.1', (error) => {
        if (error !== null) this.#answered?.(undefined);
      });
    });
  }

  close(): void {
    this.#socket.close();
  }
}

/** There are no names here. */
function isAddress(
  host: string,
  _options: unknown,
  done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  done(null, host, 4);
}
