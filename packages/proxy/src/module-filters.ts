/**
 * What the modules of a chain add to a request and its response: their part of each head, and their body filters.
 */
import type { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import type { BodyFilter } from './body-filters.ts';
import { isThenable } from './hooks.ts';
import type { ModuleChain } from './http-modules.ts';

/** Shows the client's head to each module in turn; a promise only where one of them has answered a promise. */
export function filterRequestHeader(chain: ModuleChain, request: RequestHeader, from = 0): Promise<void> | undefined {
  const { modules } = chain;
  for (let at = from; at < modules.length; at++) {
    const answer = modules[at]?.requestHeaderFilter?.(request);
    if (isThenable(answer)) {
      return Promise.resolve(answer).then(() => filterRequestHeader(chain, request, at + 1));
    }
  }
  return undefined;
}

/** Shows a final response head to each module in turn. */
export function filterResponseHeader(
  chain: ModuleChain | undefined,
  header: ResponseHeader,
  endOfStream: boolean,
): void {
  if (chain === undefined) return;
  for (const module of chain.modules) module.responseHeaderFilter?.(header, endOfStream);
}

/** Adds the body filters of a chain to a list. */
export function addBodyFilters(
  filters: BodyFilter[],
  chain: ModuleChain | undefined,
  name: 'requestBodyFilter' | 'responseBodyFilter',
): void {
  if (chain === undefined) return;
  for (const module of chain.modules) {
    if (module[name] !== undefined)
      filters.push({ name: `${name} of a module`, call: (body, end) => module[name]?.(body, end) });
  }
}

/** Shows the trailers to each module in turn; bytes of one of them take their place. */
export function filterTrailers(chain: ModuleChain | undefined, trailers: HeaderMap): Uint8Array | undefined {
  if (chain === undefined) return undefined;
  for (const module of chain.modules) {
    const bytes = module.responseTrailerFilter?.(trailers);
    if (bytes !== undefined) return bytes as Uint8Array;
  }
  return undefined;
}
