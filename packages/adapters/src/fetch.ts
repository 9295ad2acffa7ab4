/** Entry of @cirque/adapters/fetch. Only re-exports. */
export type { AppOptions, Servable } from './app-of.ts';
export {
  type FetchFilterOptions,
  type FromFetchOptions,
  fetchFilter,
  fromFetch,
  type WebFilter,
  type WebHandler,
} from './fetch/from-fetch.ts';
export { type FetchHandler, type FetchHandlerOptions, toFetchHandler } from './fetch/to-fetch-handler.ts';
