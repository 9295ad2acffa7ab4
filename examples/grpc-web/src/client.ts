// Calls the service as a web page does, with fetch: npm run example -- grpc-web/client URL
const [url = 'http://127.0.0.1:6206'] = process.argv.slice(2);

/** The messages of a response, and its status: in the last frame, or in the head when there is no message. */
interface Answer {
  readonly messages: readonly string[];
  readonly status: string;
}

async function call(method: string, message: string): Promise<Answer> {
  const response = await fetch(`${url}/example.Greeter/${method}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/grpc-web+proto', 'X-Grpc-Web': '1' },
    body: frame({ text: message }),
  });
  return read(new Uint8Array(await response.arrayBuffer()), response.headers);
}

/** Flags, length, bytes. */
function frame(message: object): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(JSON.stringify(message));
  const framed = new Uint8Array(5 + bytes.length);
  new DataView(framed.buffer).setUint32(1, bytes.length);
  framed.set(bytes, 5);
  return framed;
}

function read(body: Uint8Array<ArrayBuffer>, headers: Headers): Answer {
  const messages: string[] = [];
  let trailers = `grpc-status: ${headers.get('grpc-status')}\r\ngrpc-message: ${headers.get('grpc-message')}`;
  const view = new DataView(body.buffer);
  for (let at = 0; at < body.length; at += 5 + view.getUint32(at + 1)) {
    const text = new TextDecoder().decode(body.subarray(at + 5, at + 5 + view.getUint32(at + 1)));
    if (view.getUint8(at) === 0x80) trailers = text;
    else messages.push(JSON.parse(text).text);
  }
  return { messages, status: decodeURIComponent(trailers.trim().replaceAll('\r\n', ', ')) };
}

for (const [method, message] of [
  ['Hello', 'Ada'],
  ['Hello', ''],
  ['Count', ''],
] as const) {
  const { messages, status } = await call(method, message);
  console.log(`${method}: [${messages.join(', ')}] ${status}`);
}
