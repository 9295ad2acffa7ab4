/**
 * A client that sends several requests of HTTP/1.1 at once and reads their responses in order, with the strict reader.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { SeededRandom } from '@cirque/testing';
import type { OriginKind } from '../src/four-origins.ts';
import { GATEWAY_NAME } from '../src/peers-rig.ts';
import { valuesOf } from '../src/wire-head.ts';
import { ResponseReader, type WireResponse } from '../src/wire-reader.ts';
import { type Plan, targetOf } from './plan.ts';
import { ResponseCheck } from './response-check.ts';
import { fieldsOf, type SoakClient } from './soak-client.ts';
import type { SoakRig } from './soak-rig.ts';

export class PipeliningClient implements SoakClient {
  readonly #rig: SoakRig;
  readonly #tls: boolean;
  readonly #random: SeededRandom;

  constructor(rig: SoakRig, tls: boolean, random: SeededRandom) {
    this.#rig = rig;
    this.#tls = tls;
    this.#random = random;
  }

  /** On one connection; some of them leave before they have everything. */
  async run(plans: readonly Plan[], to: OriginKind): Promise<readonly (string | undefined)[]> {
    const checks = plans.map((plan) => new ResponseCheck(plan));
    const total = plans.reduce((bytes, { size }) => bytes + size, 0);
    const leaveAt = this.#random.chance(0.15) ? this.#random.int(0, total) : undefined;
    const socket = this.#connect();
    const reader = new ResponseReader();
    let next = 0;
    reader.onMessage = (response): void => {
      const check = checks[next++];
      if (check !== undefined) judge(response, check);
    };
    const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const finish = (reason: string): void => {
      for (const check of checks.slice(next)) {
        if (leaveAt === undefined) check.broken(`${reason} ${reader.anomalies.join('; ')}`);
        else check.cancel();
      }
      socket.destroy();
    };
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      reader.push(chunk);
      const left = leaveAt !== undefined && received >= leaveAt;
      if (next >= checks.length || reader.anomalies.length > 0 || left) finish('not well-formed');
      else if (this.#random.chance(0.05)) pauseFor(socket, 10);
    });
    socket.on('error', () => undefined);
    socket.on('end', () => finish('closed'));
    socket.on('close', () => finish('closed'));
    socket.write(plans.map((plan) => requestText(plan, to)).join(''));
    // The buffers of the system fill, so that the proxy holds what comes next.
    if (plans.length > 10) pauseFor(socket, 100);
    await over;
    if (next >= checks.length && reader.inside) return ['bytes behind the last response'];
    return await Promise.all(checks.map(({ verdict }) => verdict));
  }

  async close(): Promise<void> {}

  #connect(): Socket {
    const { gateway, ca } = this.#rig;
    if (!this.#tls) return connect({ host: '127.0.0.1', port: gateway.port });
    return connectTls({
      host: '127.0.0.1',
      port: gateway.tlsPort,
      ca: ca.cert,
      servername: GATEWAY_NAME,
      ALPNProtocols: ['http/1.1'],
    });
  }
}

function judge({ status, fields, body }: WireResponse, check: ResponseCheck): void {
  check.head(status, (name) => valuesOf(fields, name)[0]);
  if (body.size > 0) check.data(body.bytes());
  check.end((name) => valuesOf(body.trailers, name)[0]);
}

function requestText(plan: Plan, to: OriginKind): string {
  const fields = { host: 'soak.test', connection: 'te', ...fieldsOf(plan, to) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return [`GET ${targetOf(plan)} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

function pauseFor(socket: Socket, ms: number): void {
  socket.pause();
  setTimeout(() => socket.resume(), ms);
}
