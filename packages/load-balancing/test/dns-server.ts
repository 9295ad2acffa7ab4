/**
 * A name server for tests, on a port of the system's choice, by UDP and TCP. RFC 1035 sections 4.1 and 4.2, RFC 2782.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { closeLater } from './cleanup.ts';

/** A record of an answer. */
export type DnsRecord =
  | { readonly type: 'A'; readonly address: string; readonly ttl: number }
  | { readonly type: 'AAAA'; readonly address: string; readonly ttl: number }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    };

export type DnsType = DnsRecord['type'];

/** What a question is answered with. `drop`: not at all. `truncated`: by UDP, only that there is more; all of it by TCP. */
export type DnsReply =
  | { readonly records: readonly DnsRecord[]; readonly truncated?: boolean }
  | { readonly failure: 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'drop' };

const TYPES = { A: 1, AAAA: 28, SRV: 33 } as const;
const FAILURES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;
/** This is a response, by one who knows, recursion was asked for and is there. */
const FLAGS = 0x8580;
const TRUNCATED = 0x0200;

/** Answers by name and type: `a.example A`. A known name without such records has none; an unknown one does not exist. */
export class DnsServer {
  /** May be changed at any time. */
  readonly zone = new Map<string, DnsReply>();
  /** Questions so far, as keys of the zone. */
  readonly asked: string[] = [];
  /** How many of them came by TCP. */
  tcpQuestions = 0;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#udp = createSocket('udp4');
    this.#udp.on('message', (message, from) => this.#onDatagram(message, from));
    this.#tcp = createServer((socket) => this.#onConnection(socket));
  }

  /** Opens one; `closeAll` closes it. */
  static async start(): Promise<DnsServer> {
    const server = new DnsServer();
    closeLater(() => server.#close());
    await server.#listen();
    return server;
  }

  /** For the option `nameservers`. */
  get address(): string {
    return `127.0.0.1:${this.#udp.address().port}`;
  }

  /** Sets the records of one name, which replace all it had. */
  set(name: string, ...records: readonly DnsRecord[]): void {
    for (const type of Object.keys(TYPES) as DnsType[]) {
      this.zone.set(`${name} ${type}`, { records: records.filter((record) => record.type === type) });
    }
  }

  /** All questions for this name fail. */
  fail(name: string, failure: Extract<DnsReply, { failure: unknown }>['failure']): void {
    for (const type of Object.keys(TYPES)) this.zone.set(`${name} ${type}`, { failure });
  }

  /** The same port for both may be taken by another program: then another one is tried. */
  async #listen(): Promise<void> {
    for (let tries = 0; tries < 20; tries += 1) {
      this.#tcp.listen(0, '127.0.0.1');
      await once(this.#tcp, 'listening');
      const { port } = this.#tcp.address() as AddressInfo;
      try {
        this.#udp.bind(port, '127.0.0.1');
        await once(this.#udp, 'listening');
        return;
      } catch {
        await new Promise((resolve) => this.#tcp.close(resolve));
      }
    }
    throw new Error('no port was free for both UDP and TCP');
  }

  #onDatagram(message: Buffer, { port, address }: RemoteInfo): void {
    const reply = this.#answer(message, true);
    if (reply !== undefined) this.#udp.send(reply, port, address);
  }

  #onConnection(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    let seen = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      seen = Buffer.concat([seen, bytes]);
      while (seen.length >= 2 && seen.length >= 2 + seen.readUInt16BE(0)) {
        const end = 2 + seen.readUInt16BE(0);
        this.tcpQuestions += 1;
        const reply = this.#answer(seen.subarray(2, end), false);
        if (reply !== undefined) socket.write(Buffer.concat([uint16(reply.length), reply]));
        seen = seen.subarray(end);
      }
    });
  }

  #answer(message: Buffer, byUdp: boolean): Buffer | undefined {
    const { name, type, end } = readQuestion(message);
    const typeName = (Object.keys(TYPES) as DnsType[]).find((known) => TYPES[known] === type) ?? `TYPE${type}`;
    this.asked.push(`${name} ${typeName}`);
    const reply = this.zone.get(`${name} ${typeName}`) ?? ({ failure: 'NXDOMAIN' } as const);
    const question = message.subarray(12, end);
    const head = (flags: number, answers: number): Buffer =>
      Buffer.concat([
        message.subarray(0, 2),
        uint16(flags),
        uint16(1),
        uint16(answers),
        uint16(0),
        uint16(0),
        question,
      ]);
    if ('failure' in reply) return reply.failure === 'drop' ? undefined : head(FLAGS | FAILURES[reply.failure], 0);
    if (byUdp && reply.truncated === true) return head(FLAGS | TRUNCATED, 0);
    return Buffer.concat([head(FLAGS, reply.records.length), ...reply.records.map((record) => encode(name, record))]);
  }

  async #close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()));
    await new Promise((resolve) => this.#tcp.close(resolve));
  }
}

function readQuestion(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function encode(name: string, record: DnsRecord): Buffer {
  const data = dataOf(record);
  const ttl = 'ttl' in record ? record.ttl : 60;
  const head = [encodeName(name), uint16(TYPES[record.type]), uint16(1), uint16(ttl >>> 16), uint16(ttl & 0xffff)];
  return Buffer.concat([...head, uint16(data.length), data]);
}

function dataOf(record: DnsRecord): Buffer {
  if (record.type === 'A') return Buffer.from(record.address.split('.').map(Number));
  if (record.type === 'AAAA') return Buffer.concat(fullGroups(record.address).map(uint16));
  const { priority, weight, port, target } = record;
  return Buffer.concat([uint16(priority), uint16(weight), uint16(port), encodeName(target)]);
}

function fullGroups(address: string): number[] {
  const [before = '', after = ''] = address.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(before), groups(after)];
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.of(0)]);
}

function uint16(value: number): Buffer {
  return Buffer.of((value >> 8) & 0xff, value & 0xff);
}
