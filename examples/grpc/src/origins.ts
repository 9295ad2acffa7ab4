// Two gRPC servers for the example, made with @grpc/grpc-js.
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { type Greeting, greeterDefinition } from './greeter.ts';

/** Addresses of the running servers, and how to stop them. */
export interface Origins {
  readonly addresses: readonly string[];
  close(): void;
}

export async function startOrigins(): Promise<Origins> {
  const servers = [makeServer('one'), makeServer('two')];
  const addresses = await Promise.all(servers.map(listen));
  return {
    addresses,
    close() {
      for (const server of servers) server.forceShutdown();
    },
  };
}

function makeServer(name: string): Server {
  const server = new Server();
  server.addService(greeterDefinition, {
    hello({ request }: ServerUnaryCall<Greeting, Greeting>, answer: sendUnaryData<Greeting>): void {
      if (request.text === '') answer({ code: status.INVALID_ARGUMENT, details: 'who are you?' });
      else answer(null, { text: `hello ${request.text}, says server ${name}` });
    },
    count(call: ServerWritableStream<Greeting, Greeting>): void {
      for (const word of ['one', 'two', 'three']) call.write({ text: word });
      call.end();
    },
  });
  return server;
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(`127.0.0.1:${port}`);
      else reject(error);
    });
  });
}
