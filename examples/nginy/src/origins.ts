// Two servers to balance: each sends back what it gets, behind its name, over TCP and over UDP.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { one: { type: 'string', default: '127.0.0.1:9101' }, two: { type: 'string', default: '127.0.0.1:9102' } },
});

for (const [name, address] of Object.entries(values)) {
  const { hostname, port } = new URL(`http://${address}`);

  const connections = createServer((socket) => {
    socket.on('data', (bytes) => socket.write(`${name}: ${bytes}`));
    socket.on('error', () => {}); // a client that leaves in a hurry
  });
  const datagrams = createSocket('udp4', (bytes, client) => {
    datagrams.send(`${name}: ${bytes}`, client.port, client.address);
  });
  datagrams.bind(Number(port), hostname, () => {
    connections.listen(Number(port), hostname, () => console.log(`${name} on ${address}`));
  });
}
