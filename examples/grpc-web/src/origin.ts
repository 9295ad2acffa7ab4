// The gRPC server of the example, made with @grpc/grpc-js. Messages are JSON, so that no compiler of .proto files is
// needed: gRPC does not care.
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';

/** Address of the running server, and how to stop it. */
export interface Origin {
  readonly address: string;
  close(): void;
}

interface Greeting {
  readonly text: string;
}

const serialize = (message: Greeting): Buffer => Buffer.from(JSON.stringify(message));
const deserialize = (bytes: Buffer): Greeting => JSON.parse(bytes.toString());
const messages = {
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
};

const definition: ServiceDefinition = {
  hello: { path: '/example.Greeter/Hello', requestStream: false, responseStream: false, ...messages },
  count: { path: '/example.Greeter/Count', requestStream: false, responseStream: true, ...messages },
};

export async function startOrigin(): Promise<Origin> {
  const server = new Server();
  server.addService(definition, {
    hello({ request }: ServerUnaryCall<Greeting, Greeting>, answer: sendUnaryData<Greeting>): void {
      if (request.text === '') answer({ code: status.INVALID_ARGUMENT, details: 'who are you?' });
      else answer(null, { text: `hello ${request.text}` });
    },
    count(call: ServerWritableStream<Greeting, Greeting>): void {
      for (const word of ['one', 'two', 'three']) call.write({ text: word });
      call.end();
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}
