// Coming from http-proxy, in two steps: the same program with one import changed, and the same with phases.
import { parseArgs } from 'node:util';
import { startOrigin } from './origin.ts';
import * as one from './step-one.ts';
import * as two from './step-two.ts';

const { values } = parseArgs({
  options: {
    listen: { type: 'string', default: '127.0.0.1:6214' },
    step: { type: 'string', default: 'one' },
  },
});

const origin = await startOrigin();
const server = (values.step === 'two' ? two : one).makeServer(origin.address);
const [host = '', port] = values.listen.split(':');
server.listen(Number(port), host, () => {
  const { port } = server.address() as { port: number };
  console.log(`step ${values.step} is listening on ${host}:${port}`);
});
process.once('SIGTERM', () => {
  server.close();
  origin.close();
});
