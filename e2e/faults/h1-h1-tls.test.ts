import { runFaults } from '../src/fault-runner.ts';
import { FAULTS } from './matrix.ts';

runFaults({ client: 'h1', origin: 'h1', tls: true }, FAULTS);
