/**
 * node:http towards the client, undici's dispatch (its cheapest interface) towards the origin.
 */
import http from 'node:http';
import { Pool } from 'undici';
import { addresses, BACKLOG, KEEP_ALIVE_MS } from './addresses.mjs';
import { endToEnd, hasBody } from './hop-by-hop.mjs';

const { listen, upstream } = addresses();
const pool = new Pool(`http://${upstream.host}:${upstream.port}`, {
  pipelining: 1,
  keepAliveTimeout: KEEP_ALIVE_MS,
  headersTimeout: 0,
  bodyTimeout: 0,
});

class Relay {
  #response;
  #controller;

  constructor(response) {
    this.#response = response;
    response.on('drain', () => this.#controller?.resume());
    response.on('close', () => {
      if (!response.writableFinished) this.#controller?.abort(new Error('the client left'));
    });
  }

  onRequestStart(controller) {
    this.#controller = controller;
  }

  onResponseStart(_controller, statusCode, headers, statusMessage) {
    if (statusCode < 200) return;
    const list = [];
    for (const [name, value] of Object.entries(headers)) {
      for (const one of Array.isArray(value) ? value : [value]) list.push(name, one);
    }
    this.#response.writeHead(statusCode, statusMessage, endToEnd(list));
  }

  onResponseData(controller, chunk) {
    if (!this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd() {
    this.#response.end();
  }

  onResponseError() {
    if (this.#response.headersSent) this.#response.destroy();
    else this.#response.writeHead(502).end();
  }
}

function forward(request, response) {
  const options = {
    method: request.method,
    path: request.url,
    headers: endToEnd(request.rawHeaders),
    body: hasBody(request) ? request : null,
  };
  pool.dispatch(options, new Relay(response));
}

http.createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, forward).listen({ ...listen, backlog: BACKLOG });
