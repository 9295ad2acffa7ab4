// What the examples bring along besides their server: origins, started once for the process. A real server has none.
export { bundled } from './bundled.ts';
export { closeAll, type Origin, runOrigin } from './run-origin.ts';
