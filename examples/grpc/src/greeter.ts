// The service of the example. Messages are JSON, so that no compiler of .proto files is needed: gRPC does not care.
import type { ServiceDefinition } from '@grpc/grpc-js';

export interface Greeting {
  readonly text: string;
}

const json = {
  serialize: (message: Greeting): Buffer => Buffer.from(JSON.stringify(message)),
  deserialize: (bytes: Buffer): Greeting => JSON.parse(bytes.toString()),
};

const messages = {
  requestSerialize: json.serialize,
  requestDeserialize: json.deserialize,
  responseSerialize: json.serialize,
  responseDeserialize: json.deserialize,
};

/** One message for one message, and many for one. */
export const greeterDefinition: ServiceDefinition = {
  hello: { path: '/example.Greeter/Hello', requestStream: false, responseStream: false, ...messages },
  count: { path: '/example.Greeter/Count', requestStream: false, responseStream: true, ...messages },
};
