/**
 * The whole corpus of hostile and odd responses, by subject. A new case goes into the file of its subject.
 */
import type { ResponseCase } from '../src/case.ts';
import { responseBodyCases } from './response-bodies.ts';
import { responseFieldCases } from './response-fields.ts';
import { responseFramingCases } from './response-framing.ts';
import { statusLineCases } from './status-lines.ts';

export const responseCorpus: ReadonlyMap<string, readonly ResponseCase[]> = new Map([
  ['status lines and field lines', statusLineCases],
  ['framing', responseFramingCases],
  ['bodies', responseBodyCases],
  ['fields, interim responses and limits', responseFieldCases],
]);
