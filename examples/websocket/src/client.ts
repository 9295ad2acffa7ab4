// Says each word to a WebSocket server, and prints what it answers: npm run example -- websocket/client URL WORD...
const [url = 'ws://127.0.0.1:6204/', ...words] = process.argv.slice(2);
const socket = new WebSocket(url);

let answers = 0;
socket.addEventListener('open', () => {
  for (const word of words) socket.send(word);
});
socket.addEventListener('message', ({ data }) => {
  console.log(data);
  if (++answers === words.length) socket.close();
});
socket.addEventListener('error', () => {
  console.error(`${url} is no WebSocket, or refuses this one`);
  process.exitCode = 1;
});
