// The origin of the example: knows nothing of compression. It has a list, a picture, and a place to post to.
import { createServer, type RequestListener } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type Origin, runOrigin } from '@cirque-example/origins';

const LIST = JSON.stringify(Array.from({ length: 1_000 }, (_, id) => ({ id, name: `thing number ${id}`, price: 9.5 })));

const answer: RequestListener = (request, response) => {
  if (request.method === 'POST') {
    const { 'content-encoding': coding = 'none' } = request.headers;
    void buffer(request).then((body) => response.end(`got ${body.length} bytes, coding: ${coding}\n`));
  } else if (request.url === '/list') {
    response.setHeader('Content-Type', 'application/json').setHeader('ETag', '"v1"').end(LIST);
  } else {
    response.setHeader('Content-Type', 'image/png').end(Buffer.alloc(4_096));
  }
};

export function startOrigin(): Promise<Origin> {
  return runOrigin(createServer(answer));
}
