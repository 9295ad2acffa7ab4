/**
 * What a browser gets: a page with parts, and targets that stream.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { echoApp } from './echo-app.ts';
import type { OriginApp } from './four-origins.ts';

/** Pictures on the page. */
export const PICTURES = 24;

const pictures = Array.from({ length: PICTURES }, (_, at) => `<img src="/picture.svg?at=${at}" alt="">`).join('');
const PAGE = `<!doctype html><meta charset="utf-8"><title>loading</title>
<link rel="stylesheet" href="/style.css"><script src="/script.js" defer></script>${pictures}`;

const FILES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  '/': ['text/html', PAGE],
  '/style.css': ['text/css', 'body { color: rgb(1, 2, 3) }'],
  '/script.js': ['text/javascript', 'document.title = "loaded"'],
  '/picture.svg': ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"/>'],
};

/** Pieces of {@link drip}, and the time between them. */
const DRIPS = 5;
const DRIP_MS = 60;

/** The application, and the log of {@link echoApp} that answers everything else. */
export function pageApp(): { readonly app: OriginApp; readonly log: { readonly lines: string[] } } {
  const echo = echoApp();
  const app: OriginApp = (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://origin.test');
    const file = FILES[pathname];
    if (file !== undefined) response.writeHead(200, { 'content-type': file[0] }).end(file[1]);
    else if (pathname === '/drip') drip(request, response, 'text/plain', (at) => `drip ${at}\n`);
    else if (pathname === '/events') drip(request, response, 'text/event-stream', (at) => `data: event ${at}\n\n`);
    else if (pathname === '/missing') response.writeHead(404).end();
    else echo.app(request, response);
  };
  return { app, log: echo.log };
}

function drip(request: IncomingMessage, response: ServerResponse, type: string, piece: (at: number) => string): void {
  request.resume();
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
  let at = 0;
  const timer = setInterval(() => {
    response.write(piece(at++));
    if (at < DRIPS) return;
    clearInterval(timer);
    response.end();
  }, DRIP_MS);
  response.on('close', () => clearInterval(timer));
}
