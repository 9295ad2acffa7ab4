/**
 * Runs in every test file: whatever happened in it, no proxy outlives it.
 */
import { afterAll } from 'vitest';
import { killLeftBehind } from './subject.ts';

afterAll(killLeftBehind);
