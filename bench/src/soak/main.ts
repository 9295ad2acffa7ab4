/**
 * Entry of `npm run soak`.
 */
import { runCommand } from '../run-command.ts';
import { soak } from './soak.ts';

await runCommand('soak', (argv, run) => soak(argv, run));
