/**
 * Loads a proxy of layer 4, and checks before that it passes every byte to the right place.
 */
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { applyLoad, type LoadPlace, runLoadProgram } from '../load.ts';
import type { LoadResult } from '../load-generator.ts';
import { clientHello } from '../soak/client-hello.ts';
import type { Stage } from '../stage.ts';
import { verifyProxy } from '../verify.ts';
import { type L4Shape, SERVER_NAMES } from './l4-shapes.ts';
import { ANSWER_BYTES } from './l4-stage.ts';
import { Asker } from './load/datagrams.ts';
import { greet } from './load/hello.ts';
import type { Greeting, LoadReport, LoadScript } from './load/load-script.ts';

const PROGRAM = fileURLToPath(new URL('load/main.ts', import.meta.url));
const CHECK_BYTES = 4_194_304;
const CHECK_TIMEOUT_MS = 10_000;
/** UDP may lose something when the machine stands still for a moment. */
const MAX_LOST_SHARE = 0.001;

/** A ClientHello for each server name, and how the upstream of that name answers. */
export function greetings(): Promise<Greeting[]> {
  return Promise.all(SERVER_NAMES.map(async (name) => ({ send: await clientHello(name), answer: `${name}.` })));
}

/** What the load program is told. */
async function scriptOf(shape: L4Shape, port: number, durationMs: number): Promise<LoadScript> {
  const { clients, load } = shape;
  const base = { port, clients, durationMs };
  if (load.kind === 'http') throw new RangeError(`${shape.name} is loaded by wrk`);
  if (load.kind === 'bulk') return { ...base, kind: 'bulk', writeBytes: load.bytes };
  if (load.kind === 'hello') {
    return { ...base, kind: 'hello', greetings: await greetings(), answerBytes: ANSWER_BYTES };
  }
  return { ...base, kind: load.kind, bytes: load.bytes };
}

/** Reads what the load program printed. Throws when there was nothing but errors, or more of them than may be. */
export function parseLoadReport(output: string, shape: Pick<L4Shape, 'duty'>): LoadResult {
  const { done, errors, bytes, durationUs, p50Us, p99Us } = JSON.parse(output) as LoadReport;
  if (done === 0) throw new Error('nothing came back under load');
  const isUdp = shape.duty === 'udp' || shape.duty === 'udp-one-answer';
  if (errors > (isUdp ? done * MAX_LOST_SHARE : 0)) throw new Error(`${errors} failed under load, ${done} did not`);
  return { requests: done, errors, bytes, durationUs, p50Us, p99Us };
}

/** Loads the port for `durationMs`; the requests of the result are units of the shape. Throws on failures. */
export async function applyL4Load(
  stage: LoadPlace & Pick<Stage, 'bodyFile'>,
  port: number,
  shape: L4Shape,
  durationMs: number,
): Promise<LoadResult> {
  if (shape.load.kind === 'http') return applyLoad(stage, { port }, shape.load.shape, durationMs);
  const args = [PROGRAM, JSON.stringify(await scriptOf(shape, port, durationMs))];
  const parse = (output: string): LoadResult => parseLoadReport(output, shape);
  return runLoadProgram(stage, { program: 'load', file: process.execPath, args, env: {}, parse }, durationMs);
}

/** Throws when a byte is lost or comes to the wrong upstream. */
export async function verifyL4(port: number, shape: L4Shape, content: Stage['content']): Promise<void> {
  if (shape.load.kind === 'http') return verifyProxy(port, shape.load.shape, content, false);
  if (shape.load.kind === 'bulk') return verifyBytes(port);
  if (shape.load.kind === 'hello') return verifyNames(port);
  return verifyDatagrams(port, shape.load.bytes);
}

/** Everything comes back as it was sent, the end last. */
function verifyBytes(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = randomBytes(CHECK_BYTES);
    const hash = createHash('sha256');
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.setTimeout(CHECK_TIMEOUT_MS, () => socket.destroy(new Error('the bytes do not come back')));
    socket.on('data', (bytes) => void hash.update(bytes));
    socket.on('error', reject);
    socket.once('end', () => {
      if (hash.digest('hex') === createHash('sha256').update(sent).digest('hex')) resolve();
      else reject(new Error('wrong answer before timing: other bytes come back'));
    });
    socket.end(sent);
  });
}

async function verifyNames(port: number): Promise<void> {
  for (const { send, answer } of await greetings()) {
    const isRight = await greet(port, Buffer.from(send, 'latin1'), Buffer.from(answer), ANSWER_BYTES);
    if (!isRight) throw new Error(`wrong answer before timing: not that of ${answer}`);
  }
}

/** Three clients, two datagrams each. */
async function verifyDatagrams(port: number, bytes: number): Promise<void> {
  for (let number = 0; number < 3; number += 1) {
    const asker = new Asker(port);
    try {
      for (let times = 0; times < 2; times += 1) {
        if (!(await asker.ask(randomBytes(bytes)))) throw new Error('wrong answer before timing: other bytes or none');
      }
    } finally {
      asker.close();
    }
  }
}
