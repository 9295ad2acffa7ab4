/**
 * The clients of node:http and node:http2 in the soak: few connections, many requests on each.
 */
import { Agent, request as httpRequest } from 'node:http';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { OriginKind } from '../src/four-origins.ts';
import { GATEWAY_NAME } from '../src/peers-rig.ts';
import type { Plan } from './plan.ts';
import { targetOf } from './plan.ts';
import { ResponseCheck } from './response-check.ts';
import { fieldIn, fieldsOf, readBody, type SoakClient, sendUpload } from './soak-client.ts';
import type { SoakRig } from './soak-rig.ts';

const CONNECTIONS = 6;

/** HTTP/1.1: connections are kept, requests take turns on them. */
export class NodeHttp1 implements SoakClient {
  readonly #rig: SoakRig;
  readonly #agent: Agent;
  readonly #tls: boolean;

  constructor(rig: SoakRig, tls: boolean) {
    const options = { keepAlive: true, maxSockets: CONNECTIONS };
    this.#rig = rig;
    this.#tls = tls;
    this.#agent = tls ? new HttpsAgent({ ...options, ca: rig.ca.cert, servername: GATEWAY_NAME }) : new Agent(options);
  }

  run(plans: readonly Plan[], to: OriginKind): Promise<(string | undefined)[]> {
    return Promise.all(plans.map((plan) => this.#ask(plan, to)));
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  #ask(plan: Plan, to: OriginKind): Promise<string | undefined> {
    const check = new ResponseCheck(plan);
    const { gateway } = this.#rig;
    const send = this.#tls ? httpsRequest : httpRequest;
    const request = send({
      host: '127.0.0.1',
      port: this.#tls ? gateway.tlsPort : gateway.port,
      path: targetOf(plan),
      method: plan.upload > 0 ? 'POST' : 'GET',
      headers: { ...fieldsOf(plan, to), connection: 'keep-alive, te' },
      agent: this.#agent,
    });
    request.on('error', (error) => check.broken(String(error)));
    request.on('response', (response) => {
      check.head(response.statusCode ?? 0, fieldIn(response.headers));
      response.on('error', (error) => check.broken(String(error)));
      response.on('end', () => check.end(fieldIn(response.trailers)));
      readBody(response, check, () => request.destroy());
    });
    if (plan.upload > 0) sendUpload(request, plan);
    else request.end();
    return check.verdict;
  }
}

/** HTTP/2: all requests share two connections. */
export class NodeHttp2 implements SoakClient {
  readonly #rig: SoakRig;
  readonly #tls: boolean;
  readonly #sessions: ClientHttp2Session[] = [];
  #turn = 0;

  constructor(rig: SoakRig, tls: boolean) {
    this.#rig = rig;
    this.#tls = tls;
  }

  run(plans: readonly Plan[], to: OriginKind): Promise<(string | undefined)[]> {
    return Promise.all(plans.map((plan) => this.#ask(plan, to)));
  }

  async close(): Promise<void> {
    const open = this.#sessions.filter((session) => !session.destroyed);
    await Promise.all(open.map((session) => new Promise<void>((resolve) => session.close(resolve))));
  }

  get #session(): ClientHttp2Session {
    this.#turn = 1 - this.#turn;
    let session = this.#sessions[this.#turn];
    if (session === undefined || session.closed || session.destroyed) {
      const { gateway, ca } = this.#rig;
      session = this.#tls
        ? connect(`https://127.0.0.1:${gateway.tlsPort}`, { ca: ca.cert, servername: GATEWAY_NAME })
        : connect(`http://127.0.0.1:${gateway.port}`);
      session.on('error', () => undefined); // its streams tell
      this.#sessions[this.#turn] = session;
    }
    return session;
  }

  #ask(plan: Plan, to: OriginKind): Promise<string | undefined> {
    const check = new ResponseCheck(plan);
    const head = { ':path': targetOf(plan), ':method': plan.upload > 0 ? 'POST' : 'GET', ...fieldsOf(plan, to) };
    const stream = this.#session.request(head, { endStream: plan.upload === 0 });
    let trailers: Readonly<Record<string, unknown>> = {};
    let ended = false;
    stream.on('response', (fields) => {
      check.head(Number(fields[':status']), fieldIn(fields));
      readBody(stream, check, () => stream.close(constants.NGHTTP2_CANCEL));
    });
    stream.on('trailers', (fields) => {
      trailers = fields;
    });
    stream.on('end', () => {
      ended = true;
    });
    stream.on('error', () => undefined);
    stream.on('close', () => {
      if (ended && stream.rstCode === constants.NGHTTP2_NO_ERROR) check.end(fieldIn(trailers));
      else check.broken(`code ${stream.rstCode}`);
    });
    if (plan.upload > 0) sendUpload(stream, plan);
    return check.verdict;
  }
}
