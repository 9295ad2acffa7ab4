// Calls the service: npm run example -- grpc/client ADDRESS
import { type ClientReadableStream, credentials, makeClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { type Greeting, greeterDefinition } from './greeter.ts';

const [address = '127.0.0.1:6205'] = process.argv.slice(2);
const Greeter = makeClientConstructor(greeterDefinition, 'Greeter');
const client = new Greeter(address, credentials.createInsecure());

function hello(text: string): Promise<string> {
  return new Promise((resolve) => {
    client.hello?.({ text }, (error: ServiceError | null, greeting?: Greeting) =>
      resolve(error === null ? (greeting?.text ?? '') : `error ${error.code}: ${error.details}`),
    );
  });
}

console.log(await hello('Ada'));
console.log(await hello('Bob'));
console.log(await hello(''));
const counted: ClientReadableStream<Greeting> = client.count?.({ text: '' });
for await (const { text } of counted) console.log(text);
client.close();
