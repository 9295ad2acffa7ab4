import { runFaults } from '../src/fault-runner.ts';
import { FAULTS } from './matrix.ts';

runFaults({ client: 'h2', origin: 'h2', tls: true }, FAULTS);
