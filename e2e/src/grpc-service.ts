/**
 * A gRPC service without proto files: messages are bytes. What its methods do, and a client that calls them.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type ChannelCredentials,
  type Client,
  type ClientOptions,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  makeGenericClientConstructor,
  Server,
  type ServerCredentials,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';

type Bytes = Buffer;
type Method = MethodDefinition<Bytes, Bytes>;

const same = (bytes: Bytes): Bytes => bytes;

function method(name: string, requestStream: boolean, responseStream: boolean): Method {
  const path = `/test.Service/${name}`;
  const codec = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  return { path, requestStream, responseStream, ...codec };
}

/** The methods, by the names under which a client has them. */
export const METHODS = {
  echo: method('Echo', false, false),
  fail: method('Fail', false, false),
  never: method('Never', false, false),
  collect: method('Collect', true, false),
  count: method('Count', false, true),
  breakOff: method('BreakOff', false, true),
  chat: method('Chat', true, true),
} as const satisfies ServiceDefinition;

/** What servers tell of calls that were given up. */
export interface GrpcLog {
  readonly cancelled: string[];
}

const echo: handleUnaryCall<Bytes, Bytes> = (call, callback) => {
  const initial = new Metadata();
  const trailing = new Metadata();
  for (const value of call.metadata.get('x-word')) initial.add('x-word', value);
  for (const value of call.metadata.get('x-bytes-bin')) trailing.add('x-bytes-bin', value);
  initial.set('x-peer', call.metadata.get('user-agent').join());
  call.sendMetadata(initial);
  callback(null, call.request, trailing);
};

/** Nothing but trailers: the status is in the head of the response. */
const fail: handleUnaryCall<Bytes, Bytes> = (call, callback) => {
  const metadata = new Metadata();
  metadata.set('x-why', 'because');
  callback({ code: Number(call.request.toString()), details: 'es ging schief: 100 %', metadata });
};

const collect: handleClientStreamingCall<Bytes, Bytes> = (call, callback) => {
  let [messages, bytes] = [0, 0];
  call.on('data', (message: Bytes) => {
    messages += 1;
    bytes += message.length;
  });
  call.on('end', () => callback(null, Buffer.from(`${messages} messages, ${bytes} bytes`)));
};

async function sendCounted(call: ServerWritableStream<Bytes, Bytes>): Promise<void> {
  const [times = 0, size = 0] = call.request.toString().split(' ').map(Number);
  for (let at = 0; at < times && !call.cancelled; at++) {
    if (!call.write(Buffer.alloc(size, at & 0xff))) await new Promise((resolve) => call.once('drain', resolve));
  }
  call.end();
}

const count: handleServerStreamingCall<Bytes, Bytes> = (call) => void sendCounted(call);

const breakOff: handleServerStreamingCall<Bytes, Bytes> = (call) => {
  call.write(Buffer.from('one'));
  call.write(Buffer.from('two'));
  void pause(20).then(() => call.emit('error', { code: status.DATA_LOSS, details: 'no more' }));
};

const chat: handleBidiStreamingCall<Bytes, Bytes> = (call) => {
  call.on('data', (message: Bytes) => call.write(Buffer.concat([Buffer.from('re: '), message])));
  call.on('end', () => call.end());
};

/** A server with all methods, which is not bound yet. */
export function makeServer(log: GrpcLog): Server {
  const server = new Server();
  const note = (call: { on(event: 'cancelled', listener: () => void): unknown }, name: string): void => {
    call.on('cancelled', () => log.cancelled.push(name));
  };
  const never: handleUnaryCall<Bytes, Bytes> = (call) => note(call, `never ${call.request}`);
  server.addService(METHODS, {
    echo,
    fail,
    never,
    collect,
    count: (call: Parameters<typeof count>[0]) => {
      note(call, 'count');
      count(call);
    },
    breakOff,
    chat: (call: Parameters<typeof chat>[0]) => {
      note(call, 'chat');
      chat(call);
    },
  });
  return server;
}

/** Binds it to a free port of loopback; answers the port. */
export function bindServer(server: Server, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}

/** A client that also has a method which no server knows. */
export function makeClient(target: string, credentials: ChannelCredentials, options?: ClientOptions): Client {
  const Service = makeGenericClientConstructor(METHODS, 'Service');
  return new Service(target, credentials, options);
}
