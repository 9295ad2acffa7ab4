#!/usr/bin/env node
/**
 * The command `cirque`. Worker threads of a gateway run this file, too.
 */
import { main } from './main.ts';

// `cirque schema | head`: whoever reads has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const code = await main(process.argv.slice(2), process);
if (code !== undefined) process.exitCode = code;
