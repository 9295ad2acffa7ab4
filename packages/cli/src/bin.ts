#!/usr/bin/env node
/**
 * The command `cirque`. Worker threads of a gateway run this file, too.
 */
import { main } from './main.ts';

const code = await main(process.argv.slice(2), process);
if (code !== undefined) process.exitCode = code;
