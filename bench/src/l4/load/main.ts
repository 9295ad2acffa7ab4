/**
 * A load program: does what the script of its command line says, prints what came of it as one line of JSON, and ends.
 */
import { loadBulk } from './bulk.ts';
import { loadDatagrams } from './datagrams.ts';
import { loadHello } from './hello.ts';
import type { LoadReport, LoadScript } from './load-script.ts';

function play(script: LoadScript): Promise<LoadReport> {
  if (script.kind === 'bulk') return loadBulk(script);
  if (script.kind === 'hello') return loadHello(script);
  return loadDatagrams({ ...script, newPorts: script.kind === 'questions' });
}

const report = await play(JSON.parse(process.argv[2] ?? '') as LoadScript);
process.stdout.write(`${JSON.stringify(report)}\n`);
